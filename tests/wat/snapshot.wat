;; Changes everything that an instance has, and shows it.
(module
  (import "env" "memory" (memory 0 65536 shared))
  (import "host" "fork" (func $fork (result i32)))
  (import "host" "seven" (func $seven (result i32)))
  (type $unary (func (param i32) (result i32)))
  (type $nullary (func (result i32)))

  ;; The start function and an active data segment leave their traces in memory and in a global.
  (start $start)
  (global $started (export "started") (mut i32) (i32.const 0))
  (data (i32.const 0x20010) "\01\00\00\00")
  (func $start
    (global.set $started (i32.add (global.get $started) (i32.const 1)))
    (i32.store (i32.const 0x20000) (i32.add (i32.load (i32.const 0x20000)) (i32.const 1))))

  (table $fixed 8 8 funcref)
  (table $growing (export "growing") 4 100 funcref)
  (elem $active (table $fixed) (i32.const 0) func $one $two $three)
  (elem $passive func $two $three $one $two)
  (elem $other func $three)
  (data $bytes "abcd")
  (data $more "efgh")
  (func $one (result i32) (i32.const 1))
  (func $two (result i32) (i32.const 2))
  (func $three (result i32) (i32.add (i32.const 3) (global.get $added)))
  (elem (table $growing) (i32.const 1) func $seven)

  (global $added (mut i32) (i32.const 0))
  (global $i64 (mut i64) (i64.const 5))
  (global $f64 (mut f64) (f64.const 1.5))
  (global $v128 (mut v128) (v128.const i64x2 3 4))
  (global $function (mut funcref) (ref.null func))
  (global $constant funcref (ref.func $one))

  (func (export "change") (param i32) (result i32)
    (global.set $added (local.get 0))
    (global.set $i64 (i64.const -6))
    (global.set $f64 (f64.const 2.5))
    (global.set $v128 (v128.const i64x2 7 8))
    (table.init $fixed $passive (i32.const 3) (i32.const 0) (i32.const 4))
    (elem.drop $passive)
    (data.drop $bytes)
    (table.copy $fixed $fixed (i32.const 7) (i32.const 2) (i32.const 1))
    (table.fill $fixed (i32.const 1) (ref.null func) (i32.const 1))
    (drop (table.grow $growing (ref.null func) (i32.const 10)))
    (table.copy $growing $fixed (i32.const 12) (i32.const 6) (i32.const 2))
    (table.size $growing))

  ;; What a function of either table says.
  (func (export "fixed") (param i32) (result i32) (call_indirect $fixed (type $nullary) (local.get 0)))
  (func (export "growing_at") (param i32) (result i32)
    (call_indirect $growing (type $nullary) (local.get 0)))
  (func (export "size") (param i32) (result i32) (table.size $growing))
  (func (export "grow") (param i32) (result i32) (table.grow $growing (ref.null func) (local.get 0)))
  (func (export "globals") (param i32) (result i32)
    (i32.wrap_i64 (global.get $i64))
    (i32.add (i32.trunc_f64_s (f64.mul (global.get $f64) (f64.const 100))))
    (i32.add (i32.mul (i32.const 1000) (i32x4.extract_lane 2 (global.get $v128)))))

  ;; The segments: what was dropped has no bytes or elements left.
  (func (export "init_bytes") (param i32) (result i32)
    (memory.init $bytes (i32.const 0x20020) (i32.const 0) (local.get 0))
    (i32.load (i32.const 0x20020)))
  (func (export "init_more") (param i32) (result i32)
    (memory.init $more (i32.const 0x20020) (i32.const 0) (local.get 0))
    (i32.load (i32.const 0x20020)))
  (func (export "init_passive") (param i32) (result i32)
    (table.init $fixed $passive (i32.const 0) (i32.const 0) (local.get 0)) (i32.const 0))
  (func (export "init_other") (param i32) (result i32)
    (table.init $fixed $other (i32.const 0) (i32.const 0) (local.get 0))
    (call_indirect $fixed (type $nullary) (i32.const 0)))

  ;; Changes and forks, and then goes on with all of it.
  (func (export "forked") (param i32) (result i32)
    (global.set $added (local.get 0))
    (table.copy $growing $fixed (i32.const 0) (i32.const 2) (i32.const 1))
    (i32.add
      (i32.mul (i32.const 100) (call $fork))
      (i32.add
        (call_indirect $growing (type $nullary) (i32.const 0))
        (call_indirect $growing (type $nullary) (i32.const 1))))))
