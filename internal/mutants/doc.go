// Command mutants shows that the tests of the commit protocol can fail: it copies the module, removes one defence at a
// time as a file of testdata says, and runs the tests that must notice.
//
//	make mutants
//
// A mutant is a text file:
//
//	# the defence that is removed, and what would happen without it
//	file txn/machine.go
//	test ./txn -run TestScenarios
//	--- old
//	text that stands in the file exactly once
//	--- new
//	text that replaces it
//
// A mutant that does not compile, or whose old text is not found, is an error: it shows nothing.
package main
