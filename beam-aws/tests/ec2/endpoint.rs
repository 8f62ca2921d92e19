//! An endpoint of our own that speaks as EC2 does: it remembers what it was asked and answers what it was told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use beam_aws::ec2::{Access, Ec2Cloud, Region};
use beam_core::cloud_provider::CloudError;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::common::{REGION, access};

/// What it does when a call comes.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// An answer of the call's own, without its outermost element.
    Gives(String),
    /// An error, as EC2 forms them.
    Refuses(u16, &'static str),
    /// An answer that is not EC2's.
    Says(u16, &'static str),
    /// The connection ends.
    Cuts,
    /// Nothing comes.
    Hangs,
}

/// Fields of a request: `Action`, `ClientToken`, `TagSpecification.1.Tag.1.Key`, ...
pub(crate) type Asked = BTreeMap<String, String>;

/// The replies to one action: one after the other, the last again and again.
type Replies = Arc<Mutex<BTreeMap<String, Vec<Reply>>>>;

pub(crate) struct Endpoint {
    url: String,
    replies: Replies,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (replies, asked) = (Replies::default(), Arc::<Mutex<Vec<Asked>>>::default());
        let (given, noted) = (replies.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, given.clone(), noted.clone()));
            }
        });
        Self { url, replies, asked }
    }

    /// What an action is answered: in this order, the last for ever.
    pub(crate) fn on(&self, action: &str, replies: impl IntoIterator<Item = Reply>) {
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        self.replies.lock().unwrap().insert(action.to_owned(), replies);
    }

    /// The actions that were asked for since the last time, in order.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.take().into_iter().map(|mut asked| asked.remove("Action").unwrap_or_default()).collect()
    }

    /// What was asked since the last time, in order.
    pub(crate) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    pub(crate) async fn cloud(&self) -> Ec2Cloud {
        self.open(&access()).await.unwrap()
    }

    pub(crate) async fn open(&self, access: &Access) -> Result<Ec2Cloud, CloudError> {
        let region = Region { name: REGION.to_owned(), endpoint: Some(self.url.clone()) };
        Ec2Cloud::open(region, access).await
    }
}

async fn serve(client: TcpStream, replies: Replies, noted: Arc<Mutex<Vec<Asked>>>) {
    let mut client = BufReader::new(client);
    while let Some(asked) = request(&mut client).await {
        let action = asked.get("Action").cloned().unwrap_or_default();
        noted.lock().unwrap().push(asked);
        let reply = {
            let mut replies = replies.lock().unwrap();
            match replies.get_mut(&action) {
                Some(rest) if rest.len() > 1 => rest.pop().unwrap(),
                Some(rest) => rest.last().cloned().unwrap(),
                None => Reply::Gives(String::new()),
            }
        };
        let (status, body) = match reply {
            Reply::Gives(body) => (200, format!("<{action}Response>{body}</{action}Response>")),
            Reply::Refuses(status, code) => (
                status,
                format!(
                    "<Response><Errors><Error><Code>{code}</Code><Message>said</Message></Error></Errors>\
                     <RequestID>r</RequestID></Response>"
                ),
            ),
            Reply::Says(status, body) => (status, body.to_owned()),
            Reply::Cuts => return,
            Reply::Hangs => return std::future::pending().await,
        };
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: text/xml\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if client.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The fields of the next request; `None` when there is none.
async fn request(client: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut len = 0;
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        len = line.strip_prefix("content-length: ").map_or(len, |len| len.parse().unwrap());
    }
    let mut body = vec![0; len];
    client.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    let fields = body.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
    Some(fields.map(|(key, value)| (decoded(key), decoded(value))).collect())
}

/// As forms have it: `%3A` and `+`.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match first {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, more) = rest.split_at(2);
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                rest = more;
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// A tag, as EC2 lists it.
fn tag(key: &str, value: &str) -> String {
    format!("<item><key>{key}</key><value>{value}</value></item>")
}

/// A page of machines: sentries of the fleet `hub` with token `t-<id>`, all running; and where the next page is.
pub(crate) fn machines(ids: &[&str], next: Option<&str>) -> Reply {
    let items: String = ids.iter().map(|id| machine(id, "running", "sentry")).collect();
    let next = next.map_or_else(String::new, |token| format!("<nextToken>{token}</nextToken>"));
    Reply::Gives(format!(
        "<reservationSet><item><instancesSet>{items}</instancesSet></item></reservationSet>{next}"
    ))
}

/// One machine, of this state and role.
pub(crate) fn machine(id: &str, state: &str, role: &str) -> String {
    let tags = [tag("beam:fleet", "hub"), tag("beam:role", role), tag("beam:token", &format!("t-{id}"))];
    format!(
        "<item><instanceId>{id}</instanceId><instanceState><name>{state}</name></instanceState>\
         <placement><availabilityZone>{REGION}a</availabilityZone></placement>\
         <launchTime>2026-01-02T03:04:05.000Z</launchTime><tagSet>{}</tagSet></item>",
        tags.concat()
    )
}

/// One machine in the answer to a question for it.
pub(crate) fn one_machine(id: &str, state: &str, role: &str) -> Reply {
    let machine = machine(id, state, role);
    Reply::Gives(format!(
        "<reservationSet><item><instancesSet>{machine}</instancesSet></item></reservationSet>"
    ))
}

/// Addresses of the fleet `hub` with token `t-<id>`: their ids, and the machines that have them.
pub(crate) fn addresses(held: &[(&str, Option<&str>)]) -> Reply {
    let item = |(id, machine): &(&str, Option<&str>)| {
        let held = machine.map_or_else(String::new, |machine| {
            format!("<instanceId>{machine}</instanceId><associationId>assoc-{id}</associationId>")
        });
        let tags = [tag("beam:fleet", "hub"), tag("beam:token", &format!("t-{id}"))].concat();
        format!(
            "<item><allocationId>{id}</allocationId><publicIp>203.0.113.7</publicIp>{held}<tagSet>{tags}</tagSet></item>"
        )
    };
    Reply::Gives(format!("<addressesSet>{}</addressesSet>", held.iter().map(item).collect::<String>()))
}

/// A template of version 1 without anything in it.
pub(crate) fn bare_template() -> Reply {
    Reply::Gives(
        "<launchTemplateVersionSet><item><launchTemplateId>lt-1</launchTemplateId><versionNumber>1</versionNumber>\
         <launchTemplateData><imageId>ami-1</imageId></launchTemplateData></item></launchTemplateVersionSet>"
            .to_owned(),
    )
}

/// What a launch gives.
pub(crate) fn launched(id: &str) -> Reply {
    Reply::Gives(format!("<instancesSet><item><instanceId>{id}</instanceId></item></instancesSet>"))
}
