//go:build race

package pebblestore

// crashPoints is less than without the race detector, which makes each ten times as long.
const crashPoints = 200
