;; Matrices of float32 numbers that lie row by row in memory; addresses are in bytes.
;; program.js holds the assembled bytes.
(module
  (import "explorer" "memory" (memory 1))

  ;; Replace negative numbers by zero, from an address on; `count` is a multiple of 4.
  (func (export "rectify") (param $a i32) (param $count i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $a) (i32.shl (local.get $count) (i32.const 2))))
    (loop $next
      (v128.store (local.get $a)
        (f32x4.max (v128.load (local.get $a)) (v128.const f32x4 0 0 0 0)))
      (local.set $a (i32.add (local.get $a) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $a) (local.get $end)))))

  ;; C = A B for A (m, k), B (k, n) and C (m, n); m is a multiple of 4 and n of 8. Four rows by
  ;; eight columns of C stay in registers while k runs.
  (func (export "product")
    (param $a i32) (param $b i32) (param $c i32) (param $m i32) (param $k i32) (param $n i32)
    (local $column i32) (local $row i32) (local $i i32)
    (local $left i32) (local $right i32) (local $out i32) (local $width i32) (local $depth i32)
    (local $x v128) (local $y v128) (local $s v128)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local.set $width (i32.shl (local.get $n) (i32.const 2)))
    (local.set $depth (i32.shl (local.get $k) (i32.const 2)))
    (loop $columns
      (local.set $row (i32.const 0))
      (loop $rows
        (local.set $c00 (v128.const i32x4 0 0 0 0))
        (local.set $c01 (local.get $c00)) (local.set $c10 (local.get $c00))
        (local.set $c11 (local.get $c00)) (local.set $c20 (local.get $c00))
        (local.set $c21 (local.get $c00)) (local.set $c30 (local.get $c00))
        (local.set $c31 (local.get $c00))
        (local.set $left
          (i32.add (local.get $a) (i32.mul (local.get $row) (local.get $depth))))
        (local.set $right
          (i32.add (local.get $b) (i32.shl (local.get $column) (i32.const 2))))
        (local.set $i (local.get $k))
        (loop $inner
          (local.set $x (v128.load (local.get $right)))
          (local.set $y (v128.load offset=16 (local.get $right)))
          (local.set $s (v128.load32_splat (local.get $left)))
          (local.set $c00 (f32x4.add (local.get $c00) (f32x4.mul (local.get $s) (local.get $x))))
          (local.set $c01 (f32x4.add (local.get $c01) (f32x4.mul (local.get $s) (local.get $y))))
          (local.set $out (i32.add (local.get $left) (local.get $depth)))
          (local.set $s (v128.load32_splat (local.get $out)))
          (local.set $c10 (f32x4.add (local.get $c10) (f32x4.mul (local.get $s) (local.get $x))))
          (local.set $c11 (f32x4.add (local.get $c11) (f32x4.mul (local.get $s) (local.get $y))))
          (local.set $out (i32.add (local.get $out) (local.get $depth)))
          (local.set $s (v128.load32_splat (local.get $out)))
          (local.set $c20 (f32x4.add (local.get $c20) (f32x4.mul (local.get $s) (local.get $x))))
          (local.set $c21 (f32x4.add (local.get $c21) (f32x4.mul (local.get $s) (local.get $y))))
          (local.set $out (i32.add (local.get $out) (local.get $depth)))
          (local.set $s (v128.load32_splat (local.get $out)))
          (local.set $c30 (f32x4.add (local.get $c30) (f32x4.mul (local.get $s) (local.get $x))))
          (local.set $c31 (f32x4.add (local.get $c31) (f32x4.mul (local.get $s) (local.get $y))))
          (local.set $left (i32.add (local.get $left) (i32.const 4)))
          (local.set $right (i32.add (local.get $right) (local.get $width)))
          (br_if $inner (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (local.set $out
          (i32.add
            (i32.add (local.get $c) (i32.mul (local.get $row) (local.get $width)))
            (i32.shl (local.get $column) (i32.const 2))))
        (v128.store (local.get $out) (local.get $c00))
        (v128.store offset=16 (local.get $out) (local.get $c01))
        (local.set $out (i32.add (local.get $out) (local.get $width)))
        (v128.store (local.get $out) (local.get $c10))
        (v128.store offset=16 (local.get $out) (local.get $c11))
        (local.set $out (i32.add (local.get $out) (local.get $width)))
        (v128.store (local.get $out) (local.get $c20))
        (v128.store offset=16 (local.get $out) (local.get $c21))
        (local.set $out (i32.add (local.get $out) (local.get $width)))
        (v128.store (local.get $out) (local.get $c30))
        (v128.store offset=16 (local.get $out) (local.get $c31))
        (local.set $row (i32.add (local.get $row) (i32.const 4)))
        (br_if $rows (i32.lt_u (local.get $row) (local.get $m))))
      (local.set $column (i32.add (local.get $column) (i32.const 8)))
      (br_if $columns (i32.lt_u (local.get $column) (local.get $n))))))
