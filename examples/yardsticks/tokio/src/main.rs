//! A yardstick: tokio's current-thread runtime, one task per connection. `THREADS=n` takes the multi-thread runtime.
//!
//!     cargo build --release && target/release/yardstick-tokio PORT echo|http

use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

const REPLY: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";

/// Puts the answer to `input` into `out`: the same bytes, or one reply for each blank line.
fn answer(input: &[u8], http: bool, out: &mut Vec<u8>) {
    out.clear();
    if !http {
        return out.extend_from_slice(input);
    }
    for _ in input.windows(4).filter(|w| w == b"\r\n\r\n") {
        out.extend_from_slice(REPLY);
    }
}

async fn connection(mut stream: TcpStream, http: bool) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (mut input, mut out) = (vec![0; 4096], Vec::with_capacity(4096));
    loop {
        let n = stream.read(&mut input).await?;
        if n == 0 {
            return Ok(());
        }
        answer(&input[..n], http, &mut out);
        stream.write_all(&out).await?;
    }
}

async fn listen(port: u16, http: bool) -> io::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, http));
    }
}

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let usage = || io::Error::other("usage: yardstick-tokio PORT echo|http");
    let port = args.get(1).and_then(|p| p.parse().ok()).ok_or_else(usage)?;
    let http = args.get(2).ok_or_else(usage)? == "http";
    let runtime = match std::env::var("THREADS") {
        Ok(n) => Builder::new_multi_thread().worker_threads(n.parse().unwrap_or(2)).enable_all().build()?,
        Err(_) => Builder::new_current_thread().enable_all().build()?,
    };
    runtime.block_on(listen(port, http))
}
