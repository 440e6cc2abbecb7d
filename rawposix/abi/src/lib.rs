//! Guest ABI of lind: system calls, errno values, flags and structures.
