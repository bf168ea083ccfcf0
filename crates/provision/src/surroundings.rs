//! The environment of a function that runs on this machine: the endpoint, the region and a session of its role, as in the
//! pipeline. On AWS the role trusts Lambda only, so that the function gets the credentials of the caller.

use std::collections::BTreeMap;

use aws_credential_types::provider::ProvideCredentials;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::cloud::{self, Cx};
use crate::error::{Error, Result};
use crate::event::{Event, Events};
use crate::resource::function::Function;
use crate::session::{Place, Session};

/// The endpoint for functions. An emulator in this process has a private port as long as this lives.
pub struct Surroundings<'a> {
    session: &'a Session,
    endpoints: BTreeMap<String, String>,
    _port: Option<oneshot::Sender<()>>,
}

impl Surroundings<'_> {
    /// # Errors
    /// No port can be opened.
    pub async fn open(session: &Session) -> Result<Surroundings<'_>> {
        let (mut port, mut endpoints) = (None, BTreeMap::new());
        match &session.place {
            Place::Within(engine) => {
                let failed = |e| Error::new("opening a port for functions that call the emulator", e);
                let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
                let address = listener.local_addr().map_err(failed)?;
                endpoints.insert("AWS_ENDPOINT_URL".to_owned(), format!("http://{address}"));
                let (close, closed) = oneshot::channel::<()>();
                let engine = engine.clone();
                tokio::spawn(async move {
                    // It ends when the sender is dropped. A call that fails is the function's to report.
                    let _ = engine.serve(listener, async { drop(closed.await) }).await;
                });
                port = Some(close);
            }
            Place::Serving(url) | Place::Endpoint(url) => {
                endpoints.insert("AWS_ENDPOINT_URL".to_owned(), url.clone());
            }
            Place::Mixed(_) => {
                let of_service = |(service, url): (&str, String)| {
                    (format!("AWS_ENDPOINT_URL_{}", service.to_uppercase().replace(' ', "_")), url)
                };
                endpoints.extend(cloud::own_endpoints(&session.cx.sdk).into_iter().map(of_service));
            }
            Place::Aws => {}
        }
        Ok(Surroundings { session, endpoints, _port: port })
    }

    /// The variables for a function. Its own ones win.
    pub async fn of(&self, function: &Function, events: &Events) -> BTreeMap<String, String> {
        let cx = &self.session.cx;
        let role = function.role.arn(&cx.names);
        let mut variables = self.endpoints.clone();
        let session = if self.endpoints.is_empty() { None } else { session_of(cx, &role).await };
        let credentials = match session {
            Some(credentials) => Some(credentials),
            None => {
                let text = format!(
                    "the function runs here with the credentials of this command, and not with those of role {role}, which only \
                     Lambda may use"
                );
                events.say(Event::Warned { text });
                callers(cx).await
            }
        };
        if let Some([key, secret, token]) = credentials {
            variables.insert("AWS_ACCESS_KEY_ID".into(), key);
            variables.insert("AWS_SECRET_ACCESS_KEY".into(), secret);
            variables.insert("AWS_SESSION_TOKEN".into(), token);
        }
        variables.extend(function.environment.clone());
        variables
    }
}

/// A session of a role, at an endpoint that gives one to this caller.
async fn session_of(cx: &Cx, role: &str) -> Option<[String; 3]> {
    let config = aws_sdk_sts::config::Builder::from(&cx.sdk).interceptor(cx.calls.clone()).build();
    let call = aws_sdk_sts::Client::from_conf(config).assume_role().role_arn(role).role_session_name("provision");
    let given = call.send().await.ok()?.credentials?;
    Some([given.access_key_id, given.secret_access_key, given.session_token])
}

async fn callers(cx: &Cx) -> Option<[String; 3]> {
    let given = cx.sdk.credentials_provider()?.provide_credentials().await.ok()?;
    let texts = [given.access_key_id(), given.secret_access_key(), given.session_token().unwrap_or_default()];
    Some(texts.map(str::to_owned))
}
