// Package record holds what travels inside a task: the meta data beside a key and a value, the typed functions that
// pass records from operator to operator, and the bytes that enter and leave.
//
//	In ──decode──► Fn[K,V] ──► Fn[K,V2] ──► … ──encode──► Out
//
// It imports nothing of Millrace.
package record
