// Package decl holds what a program says about a store, as plain data: package store writes it, the topology and the
// runtime read it.
//
//	store.NewKeyValue("seen", …) ──► decl.Store ──► topology: which steps share it, what its changelog is called
//	                                            └─► runtime:  which engine keeps it, how its topic is made
package decl
