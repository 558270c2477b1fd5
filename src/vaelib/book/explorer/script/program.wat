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

  ;; Add rows of numbers that lie `width` apart to rows that lie close together, of which after every
  ;; `block` as many numbers as `skip` are passed over.
  (func (export "add")
    (param $a i32) (param $b i32) (param $rows i32) (param $count i32) (param $width i32)
    (param $block i32) (param $skip i32)
    (local $end i32) (local $left i32)
    (local.set $count (i32.shl (local.get $count) (i32.const 2)))
    (local.set $width (i32.sub (i32.shl (local.get $width) (i32.const 2)) (local.get $count)))
    (local.set $skip (i32.shl (local.get $skip) (i32.const 2)))
    (local.set $left (local.get $block))
    (loop $row
      (local.set $end (i32.add (local.get $a) (local.get $count)))
      (block $fours
        (loop $four
          (br_if $fours (i32.gt_u (i32.add (local.get $a) (i32.const 16)) (local.get $end)))
          (v128.store (local.get $a)
            (f32x4.add (v128.load (local.get $a)) (v128.load (local.get $b))))
          (local.set $a (i32.add (local.get $a) (i32.const 16)))
          (local.set $b (i32.add (local.get $b) (i32.const 16)))
          (br $four)))
      (block $ones
        (loop $one
          (br_if $ones (i32.ge_u (local.get $a) (local.get $end)))
          (f32.store (local.get $a) (f32.add (f32.load (local.get $a)) (f32.load (local.get $b))))
          (local.set $a (i32.add (local.get $a) (i32.const 4)))
          (local.set $b (i32.add (local.get $b) (i32.const 4)))
          (br $one)))
      (local.set $b (i32.add (local.get $b) (local.get $width)))
      (if (i32.eqz (local.tee $left (i32.sub (local.get $left) (i32.const 1))))
        (then
          (local.set $a (i32.add (local.get $a) (local.get $skip)))
          (local.set $left (local.get $block))))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

  ;; C = A B for A (m, k), B (k, n) and C (m, n); m is a multiple of 4 and n of 8. B lies in panels of
  ;; eight columns, one after the other. Of four rows of A those columns are packed that are not all
  ;; zero, with the place of their row in a panel: 20 bytes each. Then four rows by eight columns of C
  ;; stay in registers while the packed ones run.
  (func (export "product")
    (param $a i32) (param $b i32) (param $c i32) (param $m i32) (param $k i32) (param $n i32)
    (param $packed i32)
    (local $row i32) (local $column i32) (local $at i32) (local $end i32)
    (local $left i32) (local $right i32) (local $panel i32) (local $out i32)
    (local $width i32) (local $depth i32) (local $last i32)
    (local $p i32) (local $q i32) (local $r i32) (local $t i32)
    (local $x v128) (local $y v128) (local $s v128)
    (local $c00 v128) (local $c01 v128) (local $c10 v128) (local $c11 v128)
    (local $c20 v128) (local $c21 v128) (local $c30 v128) (local $c31 v128)
    (local.set $width (i32.shl (local.get $n) (i32.const 2)))
    (local.set $depth (i32.shl (local.get $k) (i32.const 2)))
    (local.set $last (i32.shl (local.get $k) (i32.const 5)))
    (loop $rows
      (local.set $left (i32.add (local.get $a) (i32.mul (local.get $row) (local.get $depth))))
      (local.set $end (local.get $packed))
      (local.set $right (i32.const 0))
      (loop $pack
        (local.set $p (i32.load (local.get $left)))
        (local.set $out (i32.add (local.get $left) (local.get $depth)))
        (local.set $q (i32.load (local.get $out)))
        (local.set $out (i32.add (local.get $out) (local.get $depth)))
        (local.set $r (i32.load (local.get $out)))
        (local.set $out (i32.add (local.get $out) (local.get $depth)))
        (local.set $t (i32.load (local.get $out)))
        (i32.store (local.get $end) (local.get $p))
        (i32.store offset=4 (local.get $end) (local.get $q))
        (i32.store offset=8 (local.get $end) (local.get $r))
        (i32.store offset=12 (local.get $end) (local.get $t))
        (i32.store offset=16 (local.get $end) (local.get $right))
        (local.set $end
          (i32.add (local.get $end)
            (select (i32.const 20) (i32.const 0)
              (i32.or
                (i32.or (local.get $p) (local.get $q)) (i32.or (local.get $r) (local.get $t))))))
        (local.set $left (i32.add (local.get $left) (i32.const 4)))
        (br_if $pack
          (i32.lt_u (local.tee $right (i32.add (local.get $right) (i32.const 32)))
            (local.get $last))))
      (local.set $panel (local.get $b))
      (local.set $column (i32.const 0))
      (loop $columns
        (local.set $c00 (v128.const i32x4 0 0 0 0))
        (local.set $c01 (local.get $c00)) (local.set $c10 (local.get $c00))
        (local.set $c11 (local.get $c00)) (local.set $c20 (local.get $c00))
        (local.set $c21 (local.get $c00)) (local.set $c30 (local.get $c00))
        (local.set $c31 (local.get $c00))
        (local.set $at (local.get $packed))
        (block $none
          (br_if $none (i32.eq (local.get $at) (local.get $end)))
          (loop $inner
            (local.set $right (i32.add (local.get $panel) (i32.load offset=16 (local.get $at))))
            (local.set $x (v128.load (local.get $right)))
            (local.set $y (v128.load offset=16 (local.get $right)))
            (local.set $s (v128.load32_splat (local.get $at)))
            (local.set $c00 (f32x4.add (local.get $c00) (f32x4.mul (local.get $s) (local.get $x))))
            (local.set $c01 (f32x4.add (local.get $c01) (f32x4.mul (local.get $s) (local.get $y))))
            (local.set $s (v128.load32_splat offset=4 (local.get $at)))
            (local.set $c10 (f32x4.add (local.get $c10) (f32x4.mul (local.get $s) (local.get $x))))
            (local.set $c11 (f32x4.add (local.get $c11) (f32x4.mul (local.get $s) (local.get $y))))
            (local.set $s (v128.load32_splat offset=8 (local.get $at)))
            (local.set $c20 (f32x4.add (local.get $c20) (f32x4.mul (local.get $s) (local.get $x))))
            (local.set $c21 (f32x4.add (local.get $c21) (f32x4.mul (local.get $s) (local.get $y))))
            (local.set $s (v128.load32_splat offset=12 (local.get $at)))
            (local.set $c30 (f32x4.add (local.get $c30) (f32x4.mul (local.get $s) (local.get $x))))
            (local.set $c31 (f32x4.add (local.get $c31) (f32x4.mul (local.get $s) (local.get $y))))
            (br_if $inner
              (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 20)))
                (local.get $end)))))
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
        (local.set $panel (i32.add (local.get $panel) (local.get $last)))
        (br_if $columns
          (i32.lt_u (local.tee $column (i32.add (local.get $column) (i32.const 8)))
            (local.get $n))))
      (br_if $rows
        (i32.lt_u (local.tee $row (i32.add (local.get $row) (i32.const 4))) (local.get $m))))))
