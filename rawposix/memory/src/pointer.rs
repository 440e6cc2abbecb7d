//! Typed guest addresses: plain numbers that carry the type of what they point to.
//!
//! None of them gives access by itself; [`AddressSpace`](crate::AddressSpace) checks the range
//! and does the copy.

use std::fmt;
use std::marker::PhantomData;

/// The address of a `T` in guest memory; any 32-bit value, valid or not.
pub struct GuestPtr<T> {
    addr: u32,
    kind: PhantomData<fn() -> T>,
}

impl<T> GuestPtr<T> {
    /// The pointer with this guest address.
    pub const fn new(addr: u32) -> Self {
        Self {
            addr,
            kind: PhantomData,
        }
    }

    /// The guest address.
    pub const fn addr(self) -> u32 {
        self.addr
    }

    /// Whether this is the null pointer.
    pub const fn is_null(self) -> bool {
        self.addr == 0
    }

    /// The pointer itself, or nothing when it is null: for optional arguments.
    pub const fn non_null(self) -> Option<Self> {
        if self.is_null() { None } else { Some(self) }
    }

    /// The same address as a pointer to another type.
    pub const fn cast<U>(self) -> GuestPtr<U> {
        GuestPtr::new(self.addr)
    }

    /// The pointer `count` elements further, or nothing past the end of the 32-bit space.
    pub fn checked_add(self, count: u32) -> Option<Self> {
        let size = u32::try_from(size_of::<T>()).ok()?;
        let addr = self.addr.checked_add(size.checked_mul(count)?)?;
        Some(Self::new(addr))
    }

    /// The pointer `bytes` further, or nothing past the end of the 32-bit space.
    pub fn checked_byte_add(self, bytes: u32) -> Option<Self> {
        self.addr.checked_add(bytes).map(Self::new)
    }
}

impl<T> Clone for GuestPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for GuestPtr<T> {}

impl<T> PartialEq for GuestPtr<T> {
    fn eq(&self, other: &Self) -> bool {
        self.addr == other.addr
    }
}

impl<T> Eq for GuestPtr<T> {}

impl<T> From<u32> for GuestPtr<T> {
    fn from(addr: u32) -> Self {
        Self::new(addr)
    }
}

impl<T> fmt::Debug for GuestPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.addr)
    }
}

/// `len` consecutive values of type `T` in guest memory.
pub struct GuestSlice<T> {
    start: GuestPtr<T>,
    len: u32,
}

impl<T> GuestSlice<T> {
    /// The `len` elements from `start` on; the range is checked when it is used.
    pub const fn new(start: GuestPtr<T>, len: u32) -> Self {
        Self { start, len }
    }

    /// The address of the first element.
    pub const fn start(self) -> GuestPtr<T> {
        self.start
    }

    /// The number of elements.
    pub const fn len(self) -> u32 {
        self.len
    }

    /// Whether there are no elements.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The size in bytes; more than 32 bits when the guest's count is absurd.
    pub const fn byte_len(self) -> u64 {
        // Widening conversions only; the product of two 32-bit values fits.
        size_of::<T>() as u64 * self.len as u64
    }
}

impl<T> Clone for GuestSlice<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for GuestSlice<T> {}

impl<T> PartialEq for GuestSlice<T> {
    fn eq(&self, other: &Self) -> bool {
        self.start == other.start && self.len == other.len
    }
}

impl<T> Eq for GuestSlice<T> {}

impl<T> fmt::Debug for GuestSlice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{}]", self.start, self.len)
    }
}

/// The address of a NUL-terminated string in guest memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GuestCStr {
    addr: u32,
}

impl GuestCStr {
    /// The string at this guest address.
    pub const fn new(addr: u32) -> Self {
        Self { addr }
    }

    /// The guest address.
    pub const fn addr(self) -> u32 {
        self.addr
    }

    /// Whether this is the null pointer.
    pub const fn is_null(self) -> bool {
        self.addr == 0
    }
}

impl From<u32> for GuestCStr {
    fn from(addr: u32) -> Self {
        Self::new(addr)
    }
}

impl fmt::Debug for GuestCStr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.addr)
    }
}
