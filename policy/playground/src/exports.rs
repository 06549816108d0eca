//! The door in the browser: three functions over numbers, because that is what wasm passes.
//!
//! The caller allocates, writes a request as UTF-8, asks, copies the answer, and frees both. Whatever
//! goes wrong in here traps; the page then throws the instance away and makes a new one, so nothing
//! is ever read from memory that a panic left half written.
#![allow(
    unsafe_code,
    reason = "memory is handed to the browser and back; each step says why it is sound"
)]

use alloc::{boxed::Box, string::String, vec};
use core::slice;

#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// Memory for `length` bytes, all zero. To be given back to [`free`] with the same length.
#[no_mangle]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    Box::into_raw(vec![0u8; length].into_boxed_slice()).cast()
}

/// Gives memory back.
///
/// # Safety
/// `pointer` and `length` are what [`allocate`] or [`ask`] gave, and are used for the last time.
#[no_mangle]
pub unsafe extern "C" fn free(pointer: *mut u8, length: usize) {
    let bytes = core::ptr::slice_from_raw_parts_mut(pointer, length);
    // SAFETY: by the contract this is a boxed slice that nobody else holds.
    drop(unsafe { Box::from_raw(bytes) });
}

/// Answers the request in `length` bytes at `pointer`, which stay the caller's. Gives the answer's
/// address in the upper 32 bits and its length in the lower ones: UTF-8, to be given to [`free`].
///
/// # Safety
/// `pointer` and `length` are what [`allocate`] gave, and not yet freed.
#[no_mangle]
pub unsafe extern "C" fn ask(pointer: *const u8, length: usize) -> u64 {
    // SAFETY: by the contract these bytes are allocated and initialised, and wasm has one thread.
    let request = unsafe { slice::from_raw_parts(pointer, length) };
    let answer = crate::answer(&String::from_utf8_lossy(request)).into_bytes();
    let answer = Box::into_raw(answer.into_boxed_slice());
    let (address, length) = (answer.cast::<u8>() as usize as u64, answer.len() as u64);
    address << 32 | length
}
