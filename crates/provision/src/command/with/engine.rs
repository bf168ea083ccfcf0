//! An engine for one command: in memory, at a port of its own, gone afterwards.

use std::net::Ipv4Addr;

use local_cloud::{Engine, Settings};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::{Error, Result};
use crate::serving::Serving;

pub struct Private {
    pub serving: Serving,
    engine: Engine,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Private {
    pub async fn start(account: Option<&str>) -> Result<Private> {
        let listening = |e| Error::new("listening on a port of 127.0.0.1", e);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(listening)?;
        let address = listener.local_addr().map_err(listening)?;
        let mut settings = Settings::default();
        if let Some(account) = account {
            settings.account = account.to_owned();
        }
        let serving = Serving { url: format!("http://{address}"), address, account: settings.account.clone() };
        let engine = Engine::start(settings).await.map_err(|e| Error::new("starting the emulator", e))?;
        let (stop, stopped) = oneshot::channel();
        let server = engine.clone();
        let served = tokio::spawn(async move {
            let stopped = async {
                // A sender that is gone stops it too.
                let _ = stopped.await;
            };
            server.serve(listener, stopped).await
        });
        Ok(Private { serving, engine, stop, served })
    }

    /// Nobody is left to answer: connections that are open are cut.
    pub async fn close(self) {
        drop(self.stop);
        self.served.abort();
        self.engine.close().await;
    }
}
