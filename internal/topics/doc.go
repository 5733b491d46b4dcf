// Package topics holds what stands behind topology.Topic: the typed declaration of a topic, which the packages of verbs
// read and users do not see; and the rules by which a serde is chosen, bound to a topic, and asked for nulls.
//
//	topology.Topic ──conversion──► Topic ──► Spec: names, serdes, start, functions
//
//	s := topics.Topic[K, V](t).Spec() // t is a topology.Topic[K, V]
package topics
