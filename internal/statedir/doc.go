// Package statedir owns the folder in which a process keeps what must outlive it: its id, and the rows of its tasks.
//
//	root/                          given by the user; of one application
//	  0/                           a slot: the home of one process
//	    lock                       held while the process lives, also released by kill -9
//	    process.json               application, process id, highest worker index: numbered format
//	    tasks/counts+totals@3/     rows of the stores counts and totals of partition 3
//	    aside/counts+totals@3.0/   such a folder that could not be read, kept to be looked at
//	    removing/                  on its way out
//	  1/                           a second process on the same machine
//
// A process takes the first slot that nobody holds, and with it the id and the rows of whoever had it before: so a process
// that was killed and is started again is the same process to Kafka, and several processes share one root without being
// told apart.
//
// Task folders are named by the stores in them and the partition, because numbers of subtopologies move with every edit.
//
//	dir, err := statedir.Open("/var/lib/app", "word-count")
//	defer dir.Close()
//	db := open(dir.TaskPath([]string{"counts"}, 3))
package statedir
