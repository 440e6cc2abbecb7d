;; Frames of many kinds that call `fork` and show afterwards what they hold.
(module
  (import "env" "memory" (memory 0 65536 shared))
  (import "host" "fork" (func $fork (result i32)))
  (import "host" "fork7" (func $fork7 (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "host" "nested" (func $nested (result i32)))
  (type $unary (func (param i32) (result i32)))
  (table 4 4 funcref)
  (elem (i32.const 0) $step $step2 $stack_arguments $tail)
  (global $calls (mut i32) (i32.const 0))

  ;; The word of memory that tells instances apart.
  (func $word (result i32) (i32.load (i32.const 0x20000)))

  ;; Recurses `n` deep through the table, in turn with locals of all kinds, and forks at the bottom.
  (func $step (param $n i32) (result i32)
    (local $a i64) (local $b f64) (local $c v128) (local $d i32)
    (local.set $a (i64.extend_i32_u (local.get $n)))
    (local.set $b (f64.convert_i32_s (local.get $n)))
    (local.set $c (i32x4.splat (local.get $n)))
    (local.set $d (call $word))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (if (result i32) (i32.eqz (local.get $n))
      (then (call $fork))
      (else
        (call_indirect (type $unary)
          (i32.sub (local.get $n) (i32.const 1))
          (i32.and (local.get $n) (i32.const 1)))))
    ;; the result of below, plus n five times over, plus memory now and then
    (i32.add (i32.wrap_i64 (local.get $a)))
    (i32.add (i32.trunc_f64_s (local.get $b)))
    (i32.add (i32x4.extract_lane 2 (local.get $c)))
    (i32.add (local.get $d))
    (i32.add (call $word)))

  (func $step2 (param $n i32) (result i32)
    (i32.add (local.get $n)
      (call_indirect (type $unary) (local.get $n) (i32.const 0))))

  (func (export "deep") (param $n i32) (result i32)
    (i32.add (call $step (local.get $n)) (i32.mul (i32.const 1000000) (call $word))))

  ;; The oldest frame has arguments on the stack, in both directions.
  (func (export "arguments") (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (i64.extend_i32_u (call $fork7 (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
      (i32.const 5) (i32.const 6) (i32.const 7)))
    (i64.add (local.get 0)) (i64.add (local.get 1)) (i64.add (local.get 2)) (i64.add (local.get 3))
    (i64.add (local.get 4)) (i64.add (local.get 5)) (i64.add (local.get 6)) (i64.add (local.get 7))
    (i64.add (local.get 8)) (i64.add (local.get 9)))

  (func $stack_arguments (param $n i32) (result i32)
    (i32.add (local.get $n)
      (call $fork7 (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)
        (i32.const 6) (local.get $n))))
  (func (export "stack_arguments") (param i32) (result i32)
    (i32.add (call $stack_arguments (local.get 0)) (local.get 0)))

  ;; The host is called by a tail call, with fewer and with more stack arguments than the caller got.
  (func $tail (param i32) (result i32)
    (return_call $fork7 (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)
      (i32.const 6) (local.get 0)))
  (func $tail_fewer (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (return_call $fork))
  (func (export "tail") (param i32) (result i32)
    (i32.add (call $tail (local.get 0))
      (i32.add (local.get 0) (call $word))))
  (func (export "tail_fewer") (param i32) (result i32)
    (i32.add (local.get 0)
      (i32.add (call $word)
        (call $tail_fewer (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5)
          (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9) (i32.const 10)))))

  ;; Forks twice: the second time in frames that were resumed.
  (func (export "twice") (param i32) (result i32)
    (local $first i32)
    (local.set $first (call $fork))
    (i32.add (i32.mul (i32.const 10) (local.get $first)) (call $fork)))

  ;; Fails in both.
  (func (export "trap") (param i32) (result i32)
    (drop (call $fork))
    (i32.load (i32.const 0)))
  (func $forever (param i32) (result i32)
    (i32.add (call $forever (local.get 0)) (call $word)))
  (func (export "overflow") (param i32) (result i32)
    (drop (call $fork))
    (call $forever (i32.const 0)))

  ;; The call goes through an adapter, whose frame stays: it has a result that the callee has not.
  (type $void (func (param i32)))
  (type $wide (func (param i64 i32) (result i64)))
  (func $void_callee (param i32) (drop (call $step (local.get 0))))
  (table $others 1 1 funcref)
  (elem (table $others) (i32.const 0) func $void_callee)
  (func (export "adapted") (param i32) (result i32)
    (i32.add
      (i32.wrap_i64 (call_indirect $others (type $wide) (i64.extend_i32_u (local.get 0))
        (i32.const 5) (i32.const 0)))
      (call $word)))

  (func (export "nested") (param i32) (result i32) (call $nested))
  (func (export "inner") (result i32) (call $fork))
  (func (export "calls") (param i32) (result i32) (global.get $calls)))
