//! Reading and writing guest memory from the host: typed, range-checked, fault-safe copies.
//!
//! A bad pointer is EFAULT, whatever is wrong with it: outside the 32-bit space, unmapped,
//! protected, or a file mapping past the file's end. Nothing here takes the lock of the map: the
//! host pages carry the real protection, so the access itself is the check.

use std::ffi::CString;

use rawposix_abi::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::host::Span;
use crate::pointer::{GuestCStr, GuestPtr, GuestSlice};
use crate::{AddressSpace, PAGE_SIZE};

impl AddressSpace {
    /// Copies one value in.
    ///
    /// # Errors
    /// EFAULT when any byte of it cannot be read.
    pub fn read<T: FromBytes + IntoBytes>(&self, ptr: GuestPtr<T>) -> Result<T, Errno> {
        let mut value = T::new_zeroed();
        self.reservation().read(ptr.addr(), value.as_mut_bytes())?;
        Ok(value)
    }

    /// Copies one value out.
    ///
    /// # Errors
    /// EFAULT when any byte of it cannot be written; those before may be.
    pub fn write<T: IntoBytes + Immutable>(
        &self,
        ptr: GuestPtr<T>,
        value: &T,
    ) -> Result<(), Errno> {
        self.reservation().write(ptr.addr(), value.as_bytes())
    }

    /// Copies an array in. The caller bounds its length first: memory for all of it is allocated.
    ///
    /// # Errors
    /// EFAULT when any byte of it cannot be read.
    pub fn read_slice<T: FromBytes + IntoBytes>(
        &self,
        slice: GuestSlice<T>,
    ) -> Result<Vec<T>, Errno> {
        let span = Span::new(slice.start().addr(), slice.byte_len())?;
        let count = usize::try_from(slice.len()).map_err(|_| Errno::EFAULT)?;
        let mut values = T::new_vec_zeroed(count).map_err(|_| Errno::ENOMEM)?;
        self.reservation()
            .read(span.start(), values.as_mut_slice().as_mut_bytes())?;
        Ok(values)
    }

    /// Copies an array out.
    ///
    /// # Errors
    /// EFAULT when any byte of it cannot be written; those before may be.
    pub fn write_slice<T: IntoBytes + Immutable>(
        &self,
        ptr: GuestPtr<T>,
        values: &[T],
    ) -> Result<(), Errno> {
        self.reservation().write(ptr.addr(), values.as_bytes())
    }

    /// Fills `buffer` from guest memory.
    ///
    /// # Errors
    /// EFAULT when any byte cannot be read; the buffer may be partly changed.
    pub fn read_bytes(&self, ptr: GuestPtr<u8>, buffer: &mut [u8]) -> Result<(), Errno> {
        self.reservation().read(ptr.addr(), buffer)
    }

    /// Writes `bytes` to guest memory.
    ///
    /// # Errors
    /// EFAULT when any byte cannot be written; those before may be.
    pub fn write_bytes(&self, ptr: GuestPtr<u8>, bytes: &[u8]) -> Result<(), Errno> {
        self.reservation().write(ptr.addr(), bytes)
    }

    /// Writes `bytes` for another process, which may be forking: what is written reaches its memory before or after that.
    ///
    /// # Errors
    /// EFAULT when any byte cannot be written; those before may be.
    pub fn write_from_outside(&self, ptr: GuestPtr<u8>, bytes: &[u8]) -> Result<(), Errno> {
        let unchanged = self.layout().lock();
        let result = self.write_bytes(ptr, bytes);
        drop(unchanged);
        result
    }

    /// Writes `len` zero bytes.
    ///
    /// # Errors
    /// EFAULT when any byte cannot be written; those before may be.
    pub fn zero(&self, ptr: GuestPtr<u8>, len: u32) -> Result<(), Errno> {
        self.reservation()
            .zero(Span::new(ptr.addr(), u64::from(len))?)
    }

    /// Copies a string in, without its NUL. `max` bounds its size including the NUL.
    ///
    /// Whole pages are read up to the one with the NUL, so a string may end where memory ends.
    ///
    /// # Errors
    /// EFAULT when the string runs into memory that cannot be read; ENAMETOOLONG when there is no
    /// NUL within `max` bytes.
    pub fn read_cstr(&self, string: GuestCStr, max: usize) -> Result<CString, Errno> {
        CString::new(self.read_string(string, max)?).map_err(|_| Errno::EINVAL)
    }

    /// The same as bytes.
    ///
    /// # Errors
    /// As [`Self::read_cstr`].
    pub fn read_string(&self, string: GuestCStr, max: usize) -> Result<Vec<u8>, Errno> {
        // Most strings are short, and no step crosses a page.
        let mut first = [0; 128];
        let page = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
        let start = usize::try_from(string.addr()).map_err(|_| Errno::EFAULT)?;
        let step = first.len().min(page - start % page).min(max);
        let first = first.get_mut(..step).ok_or(Errno::EFAULT)?;
        self.reservation().read(string.addr(), first)?;
        if let Some(text) = until_nul(first) {
            return Ok(text.to_vec());
        }
        let mut bytes = first.to_vec();
        let mut addr = u64::from(string.addr()) + step as u64;
        while bytes.len() < max {
            let page = u64::from(PAGE_SIZE);
            let step = page - addr % page;
            let step = usize::try_from(step)
                .unwrap_or(usize::MAX)
                .min(max - bytes.len());
            let start = u32::try_from(addr).map_err(|_| Errno::EFAULT)?;
            let known = bytes.len();
            bytes.resize(known + step, 0);
            let fresh = bytes.get_mut(known..).ok_or(Errno::EFAULT)?;
            self.reservation().read(start, fresh)?;
            if let Some(text) = until_nul(fresh) {
                let length = text.len();
                bytes.truncate(known + length);
                return Ok(bytes);
            }
            addr += step as u64;
        }
        Err(Errno::ENAMETOOLONG)
    }

    /// Loads a 32-bit word in one atomic access (when it is aligned).
    ///
    /// # Errors
    /// EFAULT when it cannot be read.
    pub fn load_u32(&self, ptr: GuestPtr<u32>) -> Result<u32, Errno> {
        self.reservation().load32(ptr.addr())
    }

    /// Stores a 32-bit word atomically, with sequential consistency, and gives the former value.
    ///
    /// # Errors
    /// EINVAL when it is not aligned, EFAULT when it cannot be written.
    pub fn swap_u32(&self, ptr: GuestPtr<u32>, value: u32) -> Result<u32, Errno> {
        self.reservation().exchange32(ptr.addr(), value)
    }

    /// Stores a 32-bit word atomically, with sequential consistency.
    ///
    /// # Errors
    /// EINVAL when it is not aligned, EFAULT when it cannot be written.
    pub fn store_u32(&self, ptr: GuestPtr<u32>, value: u32) -> Result<(), Errno> {
        self.swap_u32(ptr, value).map(|_| ())
    }

    /// Stores `new` if the word is `expected`, atomically: `Ok(expected)` if it was stored, else
    /// `Err` of the value found.
    ///
    /// # Errors
    /// EINVAL when it is not aligned, EFAULT when it cannot be written.
    pub fn compare_exchange_u32(
        &self,
        ptr: GuestPtr<u32>,
        expected: u32,
        new: u32,
    ) -> Result<Result<u32, u32>, Errno> {
        let seen = self
            .reservation()
            .compare_exchange32(ptr.addr(), expected, new)?;
        Ok(if seen == expected {
            Ok(seen)
        } else {
            Err(seen)
        })
    }
}

/// What stands before the first NUL, if there is one.
fn until_nul(bytes: &[u8]) -> Option<&[u8]> {
    let nul = bytes.iter().position(|&byte| byte == 0)?;
    bytes.get(..nul)
}
