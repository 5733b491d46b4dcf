// Package lint checks the house rules of CONTRIBUTING.md that a linter off the shelf does not know. It is used by its
// own tests only, so that `go test ./internal/lint` says what a change breaks, with file, line and remedy:
//
//	Load ──► Module ──► Floors   which package may import which, as a table with reasons
//	                ├─► Walls    where the Kafka client and Pebble may appear
//	                └─► House    documentation, sizes, names, no global state
//
// A check is a pure function of the parsed files, whatever their build tags say, and is shown to fail on a small module
// kept in memory.
package lint
