//! The sidecar whole: two of them, a hub by hand, peers that lie, disks that are pulled.

mod anchors;
mod durability;
mod guard;
mod hostile;
mod hubd;
mod story;
mod support;
