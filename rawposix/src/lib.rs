//! The POSIX microvisor of lind.
