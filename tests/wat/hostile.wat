;; A program with a libc of its own that passes hostile arguments to every system call.
;;
;; Arguments: PATH PATH SEED COUNT [FROM TO]...
;; For every number FROM..=TO: each way to deal a list of hostile values to the six arguments in equal steps, then
;; COUNT random choices. The paths are among the values. Exits with 42 when all calls came back, and with 43 if
;; one of them returned a number that is neither a result nor an error of Linux.
(module
  (import "env" "memory" (memory 4 65536 shared))
  (import "lind" "syscall" (func $syscall (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "lind" "startup_size" (func $startup_size (result i32)))
  (import "lind" "startup_copy" (func $startup_copy (param i32)))

  (global $path1 (mut i32) (i32.const 0))
  (global $path2 (mut i32) (i32.const 0))
  (global $random (mut i32) (i32.const 1))
  (global $strange (mut i32) (i32.const 0))

  ;; The number of hostile values.
  (func $values (result i32) (i32.const 21))

  (func $value (param $n i32) (result i32)
    (block $v20 (block $v19 (block $v18 (block $v17 (block $v16 (block $v15 (block $v14 (block $v13 (block $v12
    (block $v11 (block $v10 (block $v9 (block $v8 (block $v7 (block $v6 (block $v5 (block $v4 (block $v3 (block $v2
    (block $v1 (block $v0
      (br_table $v0 $v1 $v2 $v3 $v4 $v5 $v6 $v7 $v8 $v9 $v10 $v11 $v12 $v13 $v14 $v15 $v16 $v17 $v18 $v19 $v20
        (local.get $n)))
    (return (i32.const 0)))
    (return (i32.const 1)))
    (return (i32.const -1)))
    (return (i32.const 2)))
    (return (i32.const 3)))
    (return (i32.const 0x7fffffff)))
    (return (i32.const 0x80000000)))
    ;; The last word of the 32-bit space, and a range over the end of what can be mapped.
    (return (i32.const 0xfffffffc)))
    (return (i32.const 0xfffdfffe)))
    ;; An unmapped page, a good buffer, the end of a read-only page, the end of memory, the end of page zero's area.
    (return (i32.const 0x50000000)))
    (return (i32.const 0x11000)))
    (return (i32.const 0x30ff8)))
    (return (i32.const 0x3fffc)))
    (return (i32.const 0xffff)))
    ;; AT_FDCWD
    (return (i32.const -100)))
    (return (i32.const 4096)))
    (return (global.get $path1)))
    (return (global.get $path2)))
    (return (i32.const 0x100000)))
    (return (i32.const 64)))
    (i32.const 0x12345678))

  ;; xorshift32
  (func $next (result i32)
    (local $x i32)
    (local.set $x (global.get $random))
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 13))))
    (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))
    (local.set $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5))))
    (global.set $random (local.get $x))
    (local.get $x))

  ;; Three times out of four one of the values, else any word.
  (func $choose (result i32)
    (local $x i32)
    (local.set $x (call $next))
    (if (i32.and (local.get $x) (i32.const 0x300))
      (then (return (call $value (i32.rem_u (call $next) (call $values))))))
    (call $next))

  (func $call (param $nr i32) (param $a i32) (param $b i32) (param $c i32) (param $d i32) (param $e i32) (param $f i32)
    (local $r i32)
    (local.set $r
      (call $syscall (local.get $nr) (local.get $a) (local.get $b) (local.get $c) (local.get $d) (local.get $e)
        (local.get $f)))
    ;; 133 is the last errno of Linux; the kernel's own codes above it must not be seen.
    (if (i32.and (i32.ge_s (local.get $r) (i32.const -4095)) (i32.lt_s (local.get $r) (i32.const -133)))
      (then (global.set $strange (i32.const 1)))))

  ;; Makes the buffers what the values promise, whatever earlier calls did to the mappings.
  (func $restore
    ;; mmap(0x11000, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS, -1, 0)
    (drop (call $syscall (i32.const 222) (i32.const 0x11000) (i32.const 4096) (i32.const 3) (i32.const 0x32)
      (i32.const -1) (i32.const 0)))
    ;; A read-only page, and munmap of the one behind it.
    (drop (call $syscall (i32.const 222) (i32.const 0x30000) (i32.const 4096) (i32.const 1) (i32.const 0x32)
      (i32.const -1) (i32.const 0)))
    (drop (call $syscall (i32.const 215) (i32.const 0x31000) (i32.const 4096) (i32.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0))))

  (func $attack (param $nr i32) (param $count i32)
    (local $first i32)
    (local $step i32)
    (local $i i32)
    (local.set $step (i32.const 0))
    (loop $steps
      (call $restore)
      (local.set $first (i32.const 0))
      (loop $firsts
        (call $call (local.get $nr)
          (call $value (local.get $first))
          (call $dealt (local.get $first) (local.get $step) (i32.const 1))
          (call $dealt (local.get $first) (local.get $step) (i32.const 2))
          (call $dealt (local.get $first) (local.get $step) (i32.const 3))
          (call $dealt (local.get $first) (local.get $step) (i32.const 4))
          (call $dealt (local.get $first) (local.get $step) (i32.const 5)))
        (local.set $first (i32.add (local.get $first) (i32.const 1)))
        (br_if $firsts (i32.lt_u (local.get $first) (call $values))))
      (local.set $step (i32.add (local.get $step) (i32.const 1)))
      (br_if $steps (i32.lt_u (local.get $step) (call $values))))
    (call $restore)
    (local.set $i (local.get $count))
    (block $done
      (loop $randoms
        (br_if $done (i32.eqz (local.get $i)))
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (call $call (local.get $nr) (call $choose) (call $choose) (call $choose) (call $choose) (call $choose)
          (call $choose))
        (br $randoms))))

  (func $dealt (param $first i32) (param $step i32) (param $position i32) (result i32)
    (call $value
      (i32.rem_u (i32.add (local.get $first) (i32.mul (local.get $step) (local.get $position))) (call $values))))

  ;; A decimal number at an address.
  (func $number (param $at i32) (result i32)
    (local $n i32)
    (local $digit i32)
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))
      (then (return (i32.sub (i32.const 0) (call $number (i32.add (local.get $at) (i32.const 1)))))))
    (block $end
      (loop $digits
        (local.set $digit (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
        (br_if $end (i32.gt_u (local.get $digit) (i32.const 9)))
        (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10)) (local.get $digit)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digits)))
    (local.get $n))

  ;; argv[n], in the start-up image at 0x20000.
  (func $argument (param $n i32) (result i32)
    (i32.load offset=0x20004 (i32.shl (local.get $n) (i32.const 2))))

  (func $exit (param $status i32)
    (drop (call $syscall (i32.const 94) (local.get $status) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
      (i32.const 0)))
    unreachable)

  (func (export "_start")
    (local $count i32)
    (local $n i32)
    (local $nr i32)
    (local $to i32)
    (local $argc i32)
    (if (i32.gt_u (call $startup_size) (i32.const 0x8000)) (then (call $exit (i32.const 44))))
    (call $startup_copy (i32.const 0x20000))
    (local.set $argc (i32.load (i32.const 0x20000)))
    (if (i32.lt_u (local.get $argc) (i32.const 5)) (then (call $exit (i32.const 44))))
    (global.set $path1 (call $argument (i32.const 1)))
    (global.set $path2 (call $argument (i32.const 2)))
    (global.set $random (i32.or (call $number (call $argument (i32.const 3))) (i32.const 1)))
    (local.set $count (call $number (call $argument (i32.const 4))))
    ;; The ranges are read before the calls may overwrite them: to 0x38000.
    (local.set $n (i32.const 5))
    (block $read
      (loop $ranges
        (br_if $read (i32.ge_u (local.get $n) (local.get $argc)))
        (i32.store offset=0x38000 (i32.shl (local.get $n) (i32.const 2)) (call $number (call $argument (local.get $n))))
        (local.set $n (i32.add (local.get $n) (i32.const 1)))
        (br $ranges)))
    (local.set $n (i32.const 5))
    (block $done
      (loop $each
        (br_if $done (i32.ge_u (i32.add (local.get $n) (i32.const 1)) (local.get $argc)))
        (local.set $nr (i32.load offset=0x38000 (i32.shl (local.get $n) (i32.const 2))))
        (local.set $to (i32.load offset=0x38004 (i32.shl (local.get $n) (i32.const 2))))
        (loop $numbers
          (call $attack (local.get $nr) (local.get $count))
          (local.set $nr (i32.add (local.get $nr) (i32.const 1)))
          (br_if $numbers (i32.le_s (local.get $nr) (local.get $to))))
        (local.set $n (i32.add (local.get $n) (i32.const 2)))
        (br $each)))
    (if (global.get $strange) (then (call $exit (i32.const 43))))
    (call $exit (i32.const 42)))
)
