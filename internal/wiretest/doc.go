// Package wiretest wires one subtopology and feeds it records, without the task around it: for tests of single verbs, and
// for measuring them. Tests of what a program does belong into package kstest.
//
//	Feed ──► source ──► verbs ──► Run.Sent, Run.Dropped
//
//	r := wiretest.New(t, top, 0, nil)
//	failure := r.Feed("words", record.In{Key: []byte("k"), Value: []byte("v")})
package wiretest
