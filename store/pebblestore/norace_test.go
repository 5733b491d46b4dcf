//go:build !race

package pebblestore

// crashPoints is what each CI run tries.
const crashPoints = 2000
