//! Whole-application tests of the hub.
