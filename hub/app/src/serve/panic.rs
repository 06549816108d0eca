//! A panic anywhere ends the process, with its reason.
//!
//! A panic in one thread (of the ABCI server, of rayon, of tokio) would otherwise leave a node that
//! still answers but cannot go on, or worse, goes on with half a block in memory. The state on
//! disk is that of the last commit; a restart replays from there.

/// Installs the hook. Called once, first thing in `main`; tests do not install it.
pub fn end_process_on_panic() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        before(panic);
        eprintln!("hubd: ending, because a panic in one thread leaves the node in a state that nobody checked; the store holds the last committed block, start again to go on from there");
        // Not `exit`: that runs RocksDB's static destructors, which wait for its own threads and
        // were seen to wait for ever when the machine was busy.
        std::process::abort();
    }));
}
