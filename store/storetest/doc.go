// Package storetest is the suite every store.DB passes: what the interface promises, one test per promise, and a model
// test of random operations.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) storetest.Disk { return newDisk(t) })
//	}
package storetest
