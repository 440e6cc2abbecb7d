;; Places to jump back to, and ways to misuse them.
(module
  (import "env" "memory" (memory 0 65536 shared))
  (import "host" "setjmp" (func $setjmp (param i32) (result i32)))
  (import "host" "longjmp" (func $longjmp (param i32 i32) (result i32)))
  (import "host" "fork" (func $fork (result i32)))
  (global $place (mut i32) (i32.const 0))
  (type $unary (func (param i32) (result i32)))
  (table 2 2 funcref)
  (elem (i32.const 0) $down $jump)

  ;; The host's setjmp returns the number of the place first, so a place is told from a jump by the sign.
  (func $jump (param $value i32) (result i32)
    (drop (call $longjmp (global.get $place) (local.get $value)))
    (unreachable))

  ;; `n` frames down, then back.
  (func $down (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n))
      (then (call_indirect (type $unary) (i32.const 77) (i32.const 1)))
      (else (i32.add (local.get $n)
        (call_indirect (type $unary) (i32.sub (local.get $n) (i32.const 1)) (i32.const 0))))))

  (func (export "across") (param $n i32) (result i32)
    (local $a i64) (local $b i32) (local $r i32)
    (local.set $a (i64.const 1000))
    (local.set $b (i32.add (local.get $n) (i32.const 5)))
    (local.set $r (call $setjmp (i32.const 42)))
    (if (i32.ne (local.get $r) (i32.const 77))
      (then
        (global.set $place (local.get $r))
        (drop (call $down (local.get $n)))
        (unreachable)))
    (i32.add (i32.add (local.get $r) (local.get $b)) (i32.wrap_i64 (local.get $a))))

  ;; `n` times the same place: one buffer.
  (func (export "again") (param $n i32) (result i32)
    (loop $loop
      (global.set $place (call $setjmp (local.get $n)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $loop (local.get $n)))
    (global.get $place))

  ;; A place in each of `n` frames.
  (func $nest (export "nest") (param $n i32) (result i32)
    (global.set $place (call $setjmp (local.get $n)))
    (if (result i32) (local.get $n)
      (then (i32.add (i32.const 1) (call $nest (i32.sub (local.get $n) (i32.const 1)))))
      (else (i32.const 0))))

  ;; Two places in one frame; jumps to the first, then to the second. Counts the returns.
  (func (export "two") (param $n i32) (result i32)
    (local $first i32) (local $second i32) (local $count i32)
    (local.set $first (call $setjmp (i32.const 1)))
    (i32.store (i32.const 0x20000) (i32.add (i32.load (i32.const 0x20000)) (i32.const 1)))
    (if (i32.eq (local.get $first) (i32.const 100)) (then
      (drop (call $longjmp (i32.load (i32.const 0x20008)) (i32.const 200)))
      (unreachable)))
    (local.set $second (call $setjmp (i32.const 2)))
    (i32.store (i32.const 0x20000) (i32.add (i32.load (i32.const 0x20000)) (i32.const 10)))
    (if (i32.ne (local.get $second) (i32.const 200)) (then
      (i32.store (i32.const 0x20008) (local.get $second))
      (drop (call $longjmp (local.get $first) (i32.const 100)))
      (unreachable)))
    (i32.load (i32.const 0x20000)))

  ;; Leaves a place whose frame is gone.
  (func $leave (param $n i32) (result i32)
    (global.set $place (call $setjmp (i32.const 1)))
    (local.get $n))
  ;; A frame of the same function at the same depth, called from elsewhere.
  (func $other_caller (param $n i32) (result i32)
    (local $x i32)
    (local.set $x (call $reuse (local.get $n)))
    (i32.add (local.get $x) (local.get $n)))
  (func $caller (param $n i32) (result i32)
    (local $x i32)
    (local.set $x (call $reuse (local.get $n)))
    (i32.sub (local.get $x) (local.get $n)))
  (func $reuse (param $n i32) (result i32)
    (local $r i32)
    (if (local.get $n)
      (then (local.set $r (call $setjmp (i32.const 1)))
            (if (i32.eqz (global.get $place)) (then (global.set $place (local.get $r)))))
      (else (local.set $r (call $longjmp (global.get $place) (i32.const 5)))))
    (local.get $r))
  ;; A function of the same shape as `leave`.
  (func $wrong (param $n i32) (result i32)
    (drop (call $longjmp (global.get $place) (i32.const 1)))
    (local.get $n))

  (func (export "gone") (param $n i32) (result i32)
    (drop (call $leave (local.get $n)))
    (call $longjmp (global.get $place) (i32.const 1)))
  (func (export "wrong_function") (param $n i32) (result i32)
    (drop (call $leave (local.get $n)))
    (call $wrong (local.get $n)))
  (func (export "wrong_caller") (param $n i32) (result i32)
    (drop (call $caller (i32.const 1)))
    (call $other_caller (i32.const 0)))
  ;; Only the oldest of the callers is at another call. With 1, another place is made there first.
  (func $middle (param $n i32) (result i32)
    (i32.add (call $reuse (local.get $n)) (i32.const 1)))
  (func (export "wrong_oldest") (param $n i32) (result i32)
    (drop (call $middle (i32.const 1)))
    (drop (call $middle (local.get $n)))
    (call $middle (i32.const 0)))
  ;; A later call of the same function by the same call: C says nothing about it, and it is harmless.
  (func (export "later_call") (param $n i32) (result i32)
    (loop $loop (result i32)
      (i32.store (i32.const 0x20000) (i32.add (i32.load (i32.const 0x20000)) (i32.const 1)))
      (local.set $n (call $reuse (i32.eq (i32.load (i32.const 0x20000)) (i32.const 1))))
      (br_if $loop (i32.lt_u (i32.load (i32.const 0x20000)) (i32.const 2)))
      (local.get $n)))
  (func (export "unknown") (param $id i32) (result i32)
    (drop (call $setjmp (i32.const 1)))
    (call $longjmp (local.get $id) (i32.const 1)))
  (func (export "fail_after") (param $n i32) (result i32)
    (local.set $n (call $setjmp (i32.const 1)))
    (call $longjmp (local.get $n) (i32.const -1)))

  ;; A place made before fork is one in both.
  (func (export "fork") (param $n i32) (result i32)
    (local $r i32)
    (local.set $r (call $setjmp (local.get $n)))
    (if (i32.ge_s (local.get $r) (i32.const 500)) (then
      (return (i32.add (local.get $r) (i32.load (i32.const 0x20000))))))
    (drop (call $longjmp (local.get $r) (i32.add (i32.const 500) (call $fork))))
    (unreachable)))
