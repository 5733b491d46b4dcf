// Package integration tests whole applications on clusters, from outside: real processes that are stopped, replaced and killed
// with -9, brokers that stop, hang, are cut off, moved and killed, and results read back by a client that shares nothing with
// the library.
//
//	            ┌─► TestResultsAreExactOnOneBroker     killed processes, a rolling deploy, the example, a soak
//	kafkatest ──┤
//	            └─► TestResultsAreExactOnThreeBrokers  a soak
//
// A soak is one application that runs all scenarios (word count, joins, windows) under load while steps are done to it, one
// after the other; see soak_test.go, scenario_test.go, and for what is done processes_test.go and faults_test.go. After each
// step the load rests until the outputs hold just what plain maps make of what was fed.
//
// A child process is this test binary with MILLRACE_CHILD set (see internal/child, and child_test.go). What it tells comes as lines on
// its standard output. KAFKATEST_WAYS says on what the tests run: on kfake, steps that need a broker's process are left out.
package integration
