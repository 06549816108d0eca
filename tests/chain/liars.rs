//! A hub node that lies, in front of a real one: nothing it says is used, and what did not verify
//! is named.

use std::net::SocketAddr;

use anyhow::{ensure, Context, Result};
use localnet::network::Engine;
use localnet::plant::{Plant, PlantOptions};
use serde_json::{json, Value};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Changes the answer (`result`) to a JSON-RPC method.
type Lie = fn(method: &str, result: &mut Value);

/// Lies, and what each of them is.
const LIES: &[(&str, Lie)] = &[
    ("another value", |method, result| {
        if method == "abci_query" {
            flip_base64(&mut result["response"]["value"], 0.5);
        }
    }),
    ("a value with its end cut off", |method, result| {
        if method == "abci_query" {
            let value = result["response"]["value"]
                .as_str()
                .unwrap_or_default()
                .to_owned();
            result["response"]["value"] = json!(value[..value.len() / 8 * 4]);
        }
    }),
    ("another app hash", |method, result| {
        if method == "commit" {
            flip_hex(&mut result["signed_header"]["header"]["app_hash"]);
        }
    }),
    ("another chain", |method, result| {
        if method == "commit" {
            result["signed_header"]["header"]["chain_id"] = json!("another");
        }
    }),
    ("signatures that are not theirs", |method, result| {
        if method == "commit" {
            for signature in result["signed_header"]["commit"]["signatures"]
                .as_array_mut()
                .into_iter()
                .flatten()
            {
                flip_base64(&mut signature["signature"], 0.5);
            }
        }
    }),
    ("validators with too little power", |method, result| {
        if method == "validators" {
            if let Some(validators) = result["validators"].as_array_mut() {
                validators.truncate(1);
            }
            result["total"] = json!("1");
            result["count"] = json!("1");
        }
    }),
    ("an old header for every height", |method, result| {
        if method == "commit" {
            result["signed_header"]["header"]["height"] = json!("2");
            result["signed_header"]["commit"]["height"] = json!("2");
        }
    }),
    ("no JSON at all", |_, result| *result = Value::Null),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_node_is_believed_by_nobody() {
    check_lies().await.unwrap();
}

async fn check_lies() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options = PlantOptions {
        folder: folder.path().join("network"),
        engine: Engine::Comet { validators: 4 },
        sidecars: 0,
    };
    let plant = Plant::raise(options).await?;
    let alice = plant.person("alice")?.clone();
    let mallory = plant.person("mallory")?.clone();
    let real = plant.network.hubs()[0].rpc;
    for (who, code) in [(&alice.did, 0), (&mallory.did, 1)] {
        let honest = alice
            .hold
            .try_run(&["hub", "check", "plant", who, "operate", "cell:1", "--prove"])
            .await?;
        ensure!(honest.code == code, "the honest answer: {honest:?}");
        ensure!(
            honest.json["revision"].is_number() && honest.json["height"].is_number(),
            "{}",
            honest.json
        );
        println!("honest: {}", honest.json);
    }
    for (name, lie) in LIES {
        let liar = lying_node(real, *lie).await?;
        for who in [&alice.did, &mallory.did] {
            // A home of its own for each lie, so that no header verified before can help.
            let home = folder.path().join("homes").join(format!(
                "{}-{}",
                name.replace(' ', "-"),
                &who[who.len() - 4..]
            ));
            std::fs::create_dir_all(&home)?;
            let hold = localnet::hold::Hold::new(&plant.network.binaries().hold, &home);
            let url = format!("http://{liar}");
            let trusted = hold
                .try_run(&[
                    "hub",
                    "trust",
                    "--rpc",
                    &url,
                    "--trust",
                    &plant.trust,
                    "--chain-id",
                    plant.network.chain_id(),
                    "--yes",
                ])
                .await?;
            let mut answer = trusted;
            if answer.code == 0 {
                hold.run(&["hub", "alias", "plant", &plant.policy]).await?;
                answer = hold
                    .try_run(&["hub", "check", "plant", who, "operate", "cell:1", "--prove"])
                    .await?;
            }
            let said = format!("{}{}", answer.error, answer.json);
            ensure!(
                answer.code == 2,
                "with {name} the answer was {}: {said}",
                answer.code
            );
            ensure!(
                !said.contains("\"allow\"") && !said.contains("\"deny\""),
                "with {name} something was believed: {said}"
            );
            println!(
                "{name}: {}",
                answer.error.lines().next().unwrap_or_default()
            );
        }
    }
    plant.network.stop();
    Ok(())
}

/// An RPC node that passes every call to the real one and lies about the answer.
async fn lying_node(real: SocketAddr, lie: Lie) -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = serve(stream, real, lie).await;
            });
        }
    });
    Ok(address)
}

async fn serve(stream: TcpStream, real: SocketAddr, lie: Lie) -> Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line) = (0, String::new());
        loop {
            line.clear();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().context("a content length")?;
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let request: Value = serde_json::from_slice(&body)?;
        let mut answer: Value = serde_json::from_slice(&localnet::http::post(real, body).await?)?;
        lie(
            request["method"].as_str().unwrap_or_default(),
            &mut answer["result"],
        );
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Changes one character of a base64 text, at `place` of its length.
fn flip_base64(value: &mut Value, place: f64) {
    let Some(text) = value.as_str().filter(|text| text.len() > 8) else {
        return;
    };
    let mut bytes = text.as_bytes().to_vec();
    let index = (bytes.len() as f64 * place) as usize;
    bytes[index] = if bytes[index] == b'A' { b'B' } else { b'A' };
    *value = json!(String::from_utf8_lossy(&bytes));
}

/// Changes the first digit of a hexadecimal text.
fn flip_hex(value: &mut Value) {
    let Some(text) = value.as_str() else { return };
    let first = if text.starts_with('0') { "1" } else { "0" };
    *value = json!(format!("{first}{}", text.get(1..).unwrap_or_default()));
}
