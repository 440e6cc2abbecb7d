;; Calls of imports with a direct function, in all ways.
(module
  (type $three (func (param i32 i32 i32) (result i32)))
  (import "host" "one" (func $one (param i32) (result i32)))
  (import "host" "three" (func $three (type $three)))
  (import "host" "seven" (func $seven (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (table funcref (elem $three))
  (global $calls (export "calls") (mut i32) (i32.const 0))

  (func (export "one") (param i32) (result i32)
    (call $one (local.get 0)))

  ;; What lives across the call: two locals, a stack value, a global.
  (func (export "three") (param $n i32) (result i32) (local $double i32)
    (local.set $double (i32.mul (local.get $n) (i32.const 2)))
    (i32.mul (local.get $n) (i32.const 1000))
    (call $three
      (local.get $n)
      (i32.add (local.get $n) (i32.const 1))
      (i32.add (local.get $n) (i32.const 2)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    i32.add
    (i32.mul (local.get $double) (i32.const 10000))
    i32.add)

  (func (export "seven") (param i32) (result i32)
    (call $seven
      (local.get 0) (i32.const 2) (i32.const -3) (i32.const 4) (i32.const 5) (i32.const -6)
      (i32.const 7)))

  (func (export "table") (param i32) (result i32)
    (call_indirect (type $three) (local.get 0) (i32.const 0) (i32.const 0) (i32.const 0)))

  (func (export "tail") (param i32) (result i32)
    (return_call $three (local.get 0) (i32.const 0) (i32.const 0)))

  ;; The sum of a call's results for 1 to n.
  (func (export "sum") (param $n i32) (result i32) (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $sum (i32.add (local.get $sum) (call $one (local.get $n))))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum)))
