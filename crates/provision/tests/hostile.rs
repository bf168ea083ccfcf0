//! Functions that mean harm, under the real binary: what they start, what they read, what they end. On Linux: elsewhere there
//! are no guards.
#![cfg(target_os = "linux")]

mod queries;

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::served::Served;

/// Starts two processes that call the test and live on in sessions of their own, their parents gone, their environment empty. One
/// stays what it is, the other is a new process all the time.
const STRAYS: &str = "import os, sys, time
CALL = '''import os, socket, sys, time
s = socket.create_connection((\"127.0.0.1\", int(sys.argv[1])))
os.write(int(sys.argv[2]), b\"x\")
'''
STAY = CALL + 'time.sleep(6000)'
HOP = CALL + '''
while True:
    if os.fork(): os._exit(0)
    os.setsid()
'''

def stray(port, called, code):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, '-c', code, str(port), str(called)], {})
        os._exit(0)

def handle(event, context):
    wait, called = os.pipe()
    os.set_inheritable(called, True)
    stray(event['port'], called, STAY)
    os.read(wait, 1)
    stray(event['port'], called, HOP)
    os.read(wait, 1)
    time.sleep(event.get('sleep', 0))
    if event.get('exit'): os._exit(1)
";

/// Connections whose ends are the ends of the processes that hold them.
fn calls(listener: &TcpListener) -> [TcpStream; 2] {
    [(); 2].map(|()| listener.accept().expect("a stray calls").0)
}

fn all_end(calls: [TcpStream; 2], when: &str) {
    for mut call in calls {
        call.set_read_timeout(Some(Duration::from_secs(60))).expect("a time");
        assert!(matches!(call.read(&mut [0]), Ok(0)), "a process outlives {when}");
    }
}

#[test]
fn what_a_function_starts_ends_with_its_process_and_with_the_engine() {
    let mut served = Served::start(STRAYS, 2);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let event = |rest: &str| format!(r#"{{"port":{port}{rest}}}"#);

    assert!(served.invoke(&event(r#","exit":1"#)).contains("Runtime.ExitError"));
    all_end(calls(&listener), "the exit of its process");
    assert!(served.invoke(&event(r#","sleep":600"#)).contains("Sandbox.Timedout"));
    all_end(calls(&listener), "a time-out");
    served.invoke(&event(""));
    let strays = calls(&listener);
    served.ask("DELETE", "/2015-03-31/functions/f", "lambda", "", "");
    all_end(strays, "the deletion of its function");

    served.create(STRAYS, 900);
    let _waits = served.begin(&event(r#","sleep":600"#));
    let strays = calls(&listener);
    served.kill();
    all_end(strays, "the engine");
}

/// Looks everywhere for what the engine was started with, and tries to end and to trace the engine and its guard.
const SPY: &str = "import ctypes, glob, os, signal
def readable(path):
    try:
        with open(path, 'rb') as file: return file.read()
    except OSError: return b''

def parent(pid):
    return int(readable(f'/proc/{pid}/stat').rsplit(b')', 1)[1].split()[1])

def handle(event, context):
    libc = ctypes.CDLL(None, use_errno=True)
    guard = os.getppid(); engine = parent(guard)
    found = [path for path in glob.glob('/proc/[0-9]*/environ') if b'nobodys-business' in readable(path)]
    traced = [pid for pid in (guard, engine) if libc.ptrace(16, pid, 0, 0) == 0]
    reached = []
    # Kernels before 6.12 do not keep signals in: there it would do what it tries.
    for pid in (guard, engine) if libc.syscall(444, None, 0, 1) >= 6 else ():
        try: os.kill(pid, signal.SIGKILL); reached.append(pid)
        except PermissionError: pass
    os.makedirs('/tmp/' + context.aws_request_id + '/a'); os.chdir('/tmp/' + context.aws_request_id)
    open('a/file', 'w').close(); os.rename('a/file', 'file'); os.unlink('file'); os.rmdir('a'); os.rmdir(os.getcwd())
    return {'found': found, 'traced': traced, 'reached': reached, 'own': 'LAMBDA_TASK_ROOT' in os.environ}
";

#[test]
fn a_function_neither_reads_nor_traces_nor_ends_the_engine() {
    let mut served = Served::start(SPY, 60);
    let answer = served.invoke("{}");
    assert!(answer.ends_with(r#"{"found": [], "traced": [], "reached": [], "own": true}"#), "{answer}");
    served.kill();
}

/// Calls the test, starts a child of its own that does too, and never answers.
const HANDLER: &str = "import socket, subprocess, sys, time
CHILD = 'import socket, sys, time; s = socket.create_connection((\"127.0.0.1\", int(sys.argv[1]))); time.sleep(600)'

def handle(event, context):
    call = socket.create_connection(('127.0.0.1', event['port']))
    subprocess.Popen([sys.executable, '-c', CHILD, str(event['port'])], stdout=sys.stdout)
    time.sleep(600)
";

#[test]
fn a_killed_engine_leaves_no_process_and_no_file() {
    let mut served = Served::start(HANDLER, 900);
    let called = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let event = format!(r#"{{"port":{}}}"#, called.local_addr().expect("it is bound").port());
    let _waits = served.begin(&event);
    let strays = calls(&called);
    let left = |served: &Served| std::fs::read_dir(served.temporary.path()).expect("it is there").count();
    assert_eq!(left(&served), 1, "the code is unpacked");

    served.kill();
    all_end(strays, "the engine");
    assert_eq!(left(&served), 0, "nothing is left");
}
