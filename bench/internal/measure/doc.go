// Package measure turns what can be seen of an engine from outside into figures: committed offsets and /proc.
//
//	samples of (time, committed records, CPU)     first that shows progress ─────────── last that shows progress
//	                                              └── records per CPU-second, wall time, records per second ──┘
//
//	f, err := measure.FigureOf(samples)
//	s := measure.Of(rounds) // median, minimum and maximum over rounds
package measure
