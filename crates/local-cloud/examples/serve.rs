//! The engine on a port: `cargo run -p local-cloud --example serve -- [PORT] [FOLDER]`, then for example
//! `AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x aws --endpoint-url http://127.0.0.1:PORT s3 ls`.

use local_cloud::{Engine, Settings};
use tokio::net::TcpListener;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    local_cloud::enter();
    serve()
}

#[tokio::main]
async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().map_or(Ok(0), |port| port.parse())?;
    let engine = Engine::start(Settings { data_dir: arguments.next().map(Into::into), ..Settings::default() }).await?;
    engine.damage().iter().for_each(|damage| eprintln!("damaged: {damage}"));

    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let interrupted = async {
        // Without a handler for the signal, the engine just goes on serving.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    engine.serve(listener, interrupted).await?;
    engine.close().await;
    Ok(())
}
