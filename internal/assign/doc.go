// Package assign decides which process runs which task. It is a pure function of what the members of the consumer group
// say about themselves: no client, no clock, no state.
//
//	Member A ─┐  subtopologies it runs, tasks on its disk
//	Member B ─┼─► contest ─► tasks ─► spread ─► Plan ─► HandOver ─► what each member may own now
//	Member C ─┘     │
//	                └ which of two versions of a subtopology runs, while both share the group
//
// A task is partition p of every source topic of a subtopology. It goes to one member, whole, and only to a member that
// announced the very subtopology (the same fingerprint), so that two versions of a topology can share a group during a
// rolling deploy. In this order:
//
//  1. every member runs as many tasks as any other, as far as members can run them;
//  2. a task stays where it is, and a task without an owner goes to the process whose disk is closest to the end of its
//     changelogs;
//  3. every member runs as many tasks of each subtopology as any other.
//
// The second rule is not absolute: a subtopology whose tasks have come to lie very unevenly is evened out, a few tasks
// at a time. Assign on its own result changes nothing.
//
// Members tell about themselves in the user data of their subscription (AppendMember, DecodeMember), and the leader tells
// each what it saw of it in the user data of its assignment (AppendEcho, DecodeEcho, Member.Fits).
//
//	plan, problems := assign.Assign(members, partitions, owned)
//	now := assign.HandOver(members, plan, owned)
package assign
