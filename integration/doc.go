// Package integration tests whole applications on real brokers, from outside: real processes that are killed with -9 and
// started again, deploys that roll from one version of a topology to the next, and results read back by a client that
// shares nothing with the library.
//
// A child process is this test binary with MILLRACE_CHILD set (see child_test.go). What it tells comes as lines on
// its standard output.
package integration
