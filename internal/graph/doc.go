// Package graph is the untyped graph behind topology.Builder, so that the packages of verbs (kstream, ktable) can add
// nodes and the runtime can wire tasks without any of it being seen by users.
//
// A node keeps factories, not functions: the typed closures of all operators are made once per task (Wire), where the
// only type assertions of the whole path happen.
package graph
