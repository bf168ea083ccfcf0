//! Payloads of several shapes, the same in every run.

use std::fmt::Write;

/// A payload of one of the shapes that `crate::ROWS` names.
pub fn payload(shape: &str, random: &mut Random) -> Vec<u8> {
    match shape {
        "numbers 100 B" => numbers(100, random).into_bytes(),
        "numbers 1 KiB" => numbers(1024, random).into_bytes(),
        "numbers 10 KiB" => numbers(10 * 1024, random).into_bytes(),
        "signed 1 KiB" => signed(1024, random).into_bytes(),
        "logs 2 KiB" => log(random).into_bytes(),
        "CDC 1 KiB" => change(random).into_bytes(),
        "lines 400 B" => line(random).into_bytes(),
        "Protobuf 300 B" => protobuf(random),
        _ => panic!("there is no shape {shape}"),
    }
}

/// A flat object of numbers: nine in ten are integers, the others have two decimals.
fn numbers(bytes: usize, random: &mut Random) -> String {
    let mut text = String::from("{");
    for field in 0.. {
        let number = match random.below(10) {
            0 => format!("{}.{:02}", random.below(1000), random.below(100)),
            _ => random.below(100_000).to_string(),
        };
        let field = format!("\"f{field}\":{number}");
        if text.len() + field.len() + 2 > bytes {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text += &field;
    }
    text + "}"
}

/// A flat object of measurements: long keys, signs, and decimals of up to ten digits.
fn signed(bytes: usize, random: &mut Random) -> String {
    const KEYS: [&str; 6] = ["temperature", "pressure_hpa", "longitude", "latitude", "acceleration_x", "offset"];
    let mut text = String::from("{");
    for field in 0.. {
        let sign = if random.below(2) == 0 { "-" } else { "" };
        let number = match random.below(3) {
            0 => random.below(1_000_000_000).to_string(),
            _ => format!("{}.{:06}", random.below(180), random.below(1_000_000)),
        };
        let field = format!("\"{}_{field}\":{sign}{number}", KEYS[random.below(6) as usize]);
        if text.len() + field.len() + 2 > bytes {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text += &field;
    }
    text + "}"
}

const WORDS: [&str; 12] =
    ["connection", "pool", "retry", "über", "timeout", "日本語", "order", "payment", "cache", "miss", "naïve", "done"];

fn words(count: u64, random: &mut Random) -> String {
    (0..count).map(|_| WORDS[random.below(12) as usize]).collect::<Vec<_>>().join(" ")
}

/// A log line of an application as a nested object: strings with escapes and Unicode, lists, nulls, floats.
fn log(random: &mut Random) -> String {
    let level = ["DEBUG", "INFO", "INFO", "WARN", "ERROR"][random.below(5) as usize];
    let mut stack = String::new();
    for depth in 0..6 {
        let class = WORDS[random.below(3) as usize];
        let _ =
            write!(stack, r"\n\tat com.example.{class}.Service$Worker.run{depth}(Service.java:{})", random.below(900));
    }
    let durations: Vec<_> = (0..8).map(|_| format!("{}.{}", random.below(900), random.below(1_000_000) + 1)).collect();
    let id = random.below(u64::MAX);
    format!(
        concat!(
            r#"{{"timestamp":"2026-11-28T14:{:02}:{:02}.{:03}Z","level":"{}","service":"checkout-{}","logger":"com.example.orders.OrderService","#,
            r#""thread":"http-nio-8080-exec-{}","message":"order \"{}\" could not be paid: {}","#,
            r#""request":{{"id":"{:016x}-{:016x}","method":"POST","path":"/v2/orders/{}/payments","status":{},"bytes":{},"#,
            r#""headers":{{"host":"api.example.com","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0","#,
            r#""accept":"application/json, text/plain, */*","referer":"https:\/\/shop.example.com\/cart?step=3&lang=de","forwarded_for":null}}}},"#,
            r#""user":{{"id":{},"name":"Zoë Müller-{}","email":"zoe{}@example.com","roles":["customer","beta","{}"],"plan":null,"active":true}},"#,
            r#""metrics":{{"durations_ms":[{}],"retries":{},"cache_hit":{},"ratio":{}.{:03}e-2}},"#,
            r#""exception":{{"type":"java.net.SocketTimeoutException","message":"Read timed out after {} ms\n{}","stack":"{}"}},"#,
            r#""tags":["eu-west-1","blue","canary","{}"],"context":{{"trace_id":"1-{:08x}-{:024x}","span_id":"{:016x}","sampled":false,"parent":null,"notes":"{}"}}}}"#
        ),
        random.below(60),
        random.below(60),
        random.below(1000),
        level,
        random.below(9),
        random.below(200),
        random.below(1_000_000),
        words(8, random),
        id,
        random.below(u64::MAX),
        random.below(1_000_000),
        200 + random.below(300),
        random.below(100_000),
        random.below(10_000_000),
        random.below(100),
        random.below(1000),
        WORDS[random.below(3) as usize],
        durations.join(","),
        random.below(5),
        random.below(2) == 0,
        random.below(10),
        random.below(1000),
        random.below(30_000),
        words(6, random),
        stack,
        WORDS[random.below(3) as usize],
        random.below(u32::MAX.into()),
        random.below(u64::MAX),
        random.below(u64::MAX),
        words(40, random),
    )
}

/// A change of a row in a database, as Debezium writes it.
fn change(random: &mut Random) -> String {
    let id = random.below(10_000_000);
    let customer = random.below(1_000_000);
    let mut row = |status: &str| {
        format!(
            concat!(
                r#"{{"id":{},"customer_id":{},"status":"{}","amount":{}.{:02},"currency":"EUR","email":"customer{}@example.com","#,
                r#""street":"Königsallee {}","city":"Düsseldorf","note":{},"gift":{},"created_at":17{:014},"updated_at":17{:014}}}"#
            ),
            id,
            customer,
            status,
            random.below(10_000),
            random.below(100),
            customer,
            random.below(200),
            ["null", "\"leave at the \\\"back\\\" door\""][random.below(2) as usize],
            random.below(2) == 0,
            random.below(99_999_999_999_999),
            random.below(99_999_999_999_999),
        )
    };
    let (before, after) = (row("created"), row("paid"));
    let op = ["c", "u", "u", "u", "d"][random.below(5) as usize];
    let before = if op == "c" { "null" } else { &before };
    let after = if op == "d" { "null" } else { &after };
    format!(
        concat!(
            r#"{{"before":{},"after":{},"source":{{"version":"2.7.0.Final","connector":"postgresql","name":"shop","ts_ms":17{:011},"#,
            r#""snapshot":"false","db":"orders","sequence":"[\"{}\",\"{}\"]","schema":"public","table":"orders","txId":{},"lsn":{},"xmin":null}},"#,
            r#""op":"{}","ts_ms":17{:011},"transaction":null}}"#
        ),
        before,
        after,
        random.below(99_999_999_999),
        random.below(u64::MAX),
        random.below(u64::MAX),
        random.below(1 << 31),
        random.below(1 << 48),
        op,
        random.below(99_999_999_999),
    )
}

/// A line of CloudFront's standard log.
fn line(random: &mut Random) -> String {
    format!(
        "2026-11-28\t14:{:02}:{:02}\tFRA56-P{}\t{}\t203.0.113.{}\tGET\td111111abcdef8.cloudfront.net\t/assets/{:016x}/app.js\t200\thttps://shop.example.com/cart\tMozilla/5.0%20(X11;%20Linux%20x86_64;%20rv:128.0)%20Gecko/20100101%20Firefox/128.0\tv={}&lang=de\t-\tHit\t{:032x}==\tshop.example.com\thttps\t{}\t0.{:03}\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t{}\t0.{:03}\tHit\tapplication/javascript\t{}\t-\t-\n",
        random.below(60),
        random.below(60),
        random.below(9),
        random.below(100_000),
        random.below(255),
        random.below(u64::MAX),
        random.below(100),
        random.below(u64::MAX),
        random.below(900),
        random.below(1000),
        random.below(60_000),
        random.below(1000),
        random.below(100_000),
    )
}

/// An encoded message: tags, varints and strings.
fn protobuf(random: &mut Random) -> Vec<u8> {
    let mut bytes = Vec::new();
    for field in 1..=12_u8 {
        bytes.push(field << 3);
        let mut varint = random.below(1 << 40);
        while varint >= 0x80 {
            bytes.push(varint as u8 | 0x80);
            varint >>= 7;
        }
        bytes.push(varint as u8);
        let text = words(2, random);
        bytes.extend([field << 3 | 2, text.len() as u8]);
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// Xorshift.
pub struct Random(u64);

impl Random {
    pub fn new() -> Random {
        Random(0x9e37_79b9_7f4a_7c15)
    }

    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}
