;; Contexts, and ways to misuse them. The host keeps names in numbered slots.
(module
  (import "env" "memory" (memory 0 65536 shared))
  (import "context" "save" (func $save (param i32) (result i32)))
  (import "context" "make" (func $make (param i32 i32) (result i32)))
  (import "context" "switch" (func $switch (param i32) (result i32)))
  (import "context" "end" (func $end (param i32) (result i32)))
  ;; Saves in the first slot and goes on with the second.
  (import "context" "swap" (func $swap (param i32 i32) (result i32)))
  (import "context" "forge" (func $forge (param i32 i64)))
  (import "host" "setjmp" (func $setjmp (param i32) (result i32)))
  (import "host" "longjmp" (func $longjmp (param i32 i32) (result i32)))
  (import "context" "longjmp" (func $longjmp_away (param i32 i32) (result i32)))
  (import "host" "fork" (func $fork (result i32)))
  (global $sp (export "sp") (mut i32) (i32.const 1000))
  (global $place (mut i32) (i32.const 0))
  (global $sum (export "sum") (mut i32) (i32.const 0))

  ;; Slot 0 is the caller's, slot 1 the coroutine's. What to do comes with the argument.
  (func (export "start") (param $what i32)
    (if (i32.eq (local.get $what) (i32.const 1)) (then (call $counts)))
    (if (i32.eq (local.get $what) (i32.const 2)) (then
      (global.set $sum (i32.add (global.get $sum) (i32.const 1)))
      (drop (call $end (i32.const 0)))))
    (if (i32.eq (local.get $what) (i32.const 3)) (then (return)))
    (if (i32.eq (local.get $what) (i32.const 4)) (then (call $has_place)))
    (if (i32.eq (local.get $what) (i32.const 5)) (then (unreachable))))
  (func (export "wrong") (param i64))

  (func $counts
    (local $i i64) (local $f f64)
    (local.set $f (f64.const 0.5))
    (loop $loop
      (global.set $sum (i32.add (global.get $sum) (i32.wrap_i64 (local.get $i))))
      (drop (call $nested (i32.const 3)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (local.set $f (f64.mul (local.get $f) (f64.const 1.0)))
      (if (f64.ne (local.get $f) (f64.const 0.5)) (then (unreachable)))
      (br $loop)))
  (func $nested (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (call $nested (i32.sub (local.get $n) (i32.const 1))) (local.get $n)))
      (else
        (global.set $sp (i32.sub (global.get $sp) (i32.const 16)))
        (drop (call $swap (i32.const 1) (i32.const 0)))
        (global.set $sp (i32.add (global.get $sp) (i32.const 16)))
        (i32.const 0))))

  ;; `n` turns of a coroutine: 0 + 1 + … + (n - 1), from below some frames.
  (func $turns (export "turns") (param $n i32) (result i32)
    (local $x i64)
    (local.set $x (i64.const 0x123456789))
    (global.set $sp (i32.const 1000))
    (global.set $sum (i32.const 0))
    (drop (call $make (i32.const 1) (i32.const 1)))
    (loop $loop
      (drop (call $below (local.get $n)))
      (if (i32.ne (global.get $sp) (i32.const 1000)) (then (unreachable)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $loop (local.get $n)))
    (if (i64.ne (local.get $x) (i64.const 0x123456789)) (then (unreachable)))
    (global.get $sum))
  (func $below (param $n i32) (result i32)
    (drop (call $swap (i32.const 0) (i32.const 1)))
    (i32.add (local.get $n) (i32.const 1)))

  ;; `n` coroutines, each to its end.
  (func (export "ends") (param $n i32) (result i32)
    (global.set $sum (i32.const 0))
    (loop $loop
      (drop (call $make (i32.const 1) (i32.const 2)))
      (drop (call $swap (i32.const 0) (i32.const 1)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $loop (local.get $n)))
    (global.get $sum))

  ;; `n` times the same place.
  (func (export "loops") (param $n i32) (result i32)
    (drop (call $save (i32.const 2)))
    (global.set $sum (i32.add (global.get $sum) (i32.const 1)))
    (if (i32.lt_s (global.get $sum) (local.get $n)) (then (drop (call $switch (i32.const 2)))))
    (global.get $sum))

  ;; `n` contexts from different depths, in as many slots, that nobody needs.
  (func $lost (export "lost") (param $n i32) (result i32)
    (drop (call $save (local.get $n)))
    (if (local.get $n) (then (drop (call $lost (i32.sub (local.get $n) (i32.const 1))))))
    (i32.const 7))

  ;; Goes on with any name.
  (func (export "forged") (param $low i32) (result i32)
    (call $forge (i32.const 3) (i64.extend_i32_s (local.get $low)))
    (call $switch (i32.const 3)))
  (func (export "forged_version") (param $high i32) (result i32)
    (drop (call $save (i32.const 3)))
    (call $forge (i32.const 3) (i64.or (i64.shl (i64.extend_i32_u (local.get $high)) (i64.const 32)) (i64.const 1)))
    (call $switch (i32.const 3)))
  ;; Saves it anew: the older name is none.
  (func (export "enter") (param $what i32) (result i32)
    (drop (call $make (i32.const 1) (local.get $what)))
    (call $swap (i32.const 0) (i32.const 1)))

  ;; A context of an earlier call by the host: its frames end in this one.
  (func (export "leave") (param $n i32) (result i32)
    (i32.add (call $save (i32.const 4)) (local.get $n)))
  (func (export "earlier") (param $n i32) (result i32)
    (drop (call $switch (i32.const 4)))
    (unreachable))
  (func (export "earlier_wide") (param $n i64) (result f64)
    (drop (call $switch (i32.const 4)))
    (unreachable))

  ;; A place in a coroutine, to which its caller jumps, and the other way round.
  (func $has_place
    (local $r i32) (local $kept i32)
    (local.set $kept (i32.const 50))
    (local.set $r (call $setjmp (i32.const 10)))
    (if (i32.lt_s (local.get $r) (i32.const 1000)) (then
      (global.set $place (local.get $r))
      (drop (call $swap (i32.const 1) (i32.const 0)))
      (unreachable)))
    (global.set $sum (i32.add (local.get $r) (local.get $kept)))
    (drop (call $longjmp_away (i32.load (i32.const 0x20010)) (i32.const 3000)))
    (unreachable))
  (func (export "jumps") (param $n i32) (result i32)
    (local $r i32)
    (drop (call $make (i32.const 1) (i32.const 4)))
    (drop (call $swap (i32.const 0) (i32.const 1)))
    (local.set $r (call $setjmp (i32.const 20)))
    (if (i32.eq (local.get $r) (i32.const 3000)) (then
      (return (i32.add (i32.add (local.get $r) (local.get $n)) (global.get $sum)))))
    (i32.store (i32.const 0x20010) (local.get $r))
    (drop (call $jump_below (local.get $n)))
    (unreachable))
  (func $jump_below (param $n i32) (result i32)
    (if (local.get $n) (then (return (i32.add (call $jump_below (i32.sub (local.get $n) (i32.const 1))) (i32.const 1)))))
    (call $longjmp_away (global.get $place) (i32.const 2000)))

  ;; Forks between two turns; both go on. Returns what fork gave in thousands.
  (func (export "forks") (param $n i32) (result i32)
    (local $r i32)
    (drop (call $turns (i32.const 3)))
    (local.set $r (call $fork))
    (drop (call $below (local.get $n)))
    (drop (call $below (local.get $n)))
    (i32.add (i32.mul (local.get $r) (i32.const 1000)) (global.get $sum))))
