// Package secured tests applications on clusters as operators run them: encrypted, with names and permissions, of the oldest
// version that is supported and of the newest, and with a transaction that nobody ends. Its tests are what the guide
// docs/secured.md promises; the table of permissions there is the one they use.
//
//	guide: the table ──► ACLs ──► app runs          one less ──► app says which
//
//	go test -run TestACLs ./secured
package secured
