package millrace

import (
	"sync"

	"github.com/millrace-streams/millrace/internal/assign"
)

// readDisk finds out which changelogs this process has rows of, and how far: the group gives a task to the process whose disk is
// closest to the end. What cannot be read is left out here, and dealt with when its task is opened.
func (p *process) readDisk() error {
	dirs, err := p.dir.Tasks()
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var looking sync.WaitGroup
	several := make(chan struct{}, parallelRestores)
	for _, d := range dirs {
		if d.Partition == globalPartition {
			continue // of no task
		}
		several <- struct{}{}
		looking.Go(func() {
			defer func() { <-several }()
			found, err := p.engine.Checkpoints(d.Path)
			if err != nil {
				p.log.Debug("millrace: look at state on disk", "path", d.Path, "error", err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			for _, ck := range found {
				p.stored = append(p.stored, assign.Stored{Changelog: ck.Changelog, Partition: d.Partition, Offset: ck.Offset})
			}
		})
	}
	looking.Wait()
	return nil
}
