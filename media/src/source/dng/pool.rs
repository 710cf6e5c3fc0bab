//! Buffers that outlive a frame. A fresh page costs the kernel more than
//! decoding into it costs us, so what one frame has allocated the next one
//! uses again.

use std::sync::{Mutex, PoisonError};

/// Most buffers that wait for their next use; more are given back to the system.
const MAX_KEPT: usize = 16;

/// Buffers of one clip, for all threads that read it.
#[derive(Default)]
pub(super) struct Pool(Mutex<Vec<Vec<u8>>>);

impl Pool {
    /// A buffer of `len` bytes with whatever they hold.
    pub(super) fn take(&self, len: usize) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The smallest that is large enough, else the largest, which grows once.
        let fit = (0..kept.len()).min_by_key(|i| {
            let capacity = kept[*i].capacity();
            if capacity >= len { (0, capacity) } else { (1, usize::MAX - capacity) }
        });
        let mut buffer = fit.map(|i| kept.swap_remove(i)).unwrap_or_default();
        drop(kept);
        buffer.resize(len, 0);
        buffer
    }

    /// Gives a buffer back.
    pub(super) fn give(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < MAX_KEPT && buffer.capacity() > 0 {
            kept.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_fits() {
        let pool = Pool::default();
        let (small, large) = (vec![1; 10], vec![2; 1000]);
        let at = [small.as_ptr(), large.as_ptr()];
        pool.give(large);
        pool.give(small);
        let first = pool.take(8);
        assert_eq!(first.as_ptr(), at[0], "the smallest that fits");
        let again = pool.take(500);
        assert_eq!((again.as_ptr(), again.len()), (at[1], 500));
        assert_eq!(pool.take(3), [0; 3], "a fresh one when there is none");
    }
}
