package metrics

import (
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// WatchFile adds the size of the file of an embedded store, and the space that is left for it. Both are read at every
// scrape, and left out while they can't be.
func (m *Metrics) WatchFile(path string) {
	m.registry.MustRegister(&storeFile{
		path: path,
		size: prometheus.NewDesc("junctor_store_file_bytes", "Size of the file of the embedded store.", nil, nil),
		free: prometheus.NewDesc("junctor_store_disk_free_bytes",
			"Space that is left for the file of the embedded store on its file system.", nil, nil),
	})
}

type storeFile struct {
	path       string
	size, free *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (f *storeFile) Describe(descriptions chan<- *prometheus.Desc) {
	descriptions <- f.size
	descriptions <- f.free
}

// Collect implements prometheus.Collector.
func (f *storeFile) Collect(metrics chan<- prometheus.Metric) {
	if info, err := os.Stat(f.path); err == nil {
		metrics <- prometheus.MustNewConstMetric(f.size, prometheus.GaugeValue, float64(info.Size()))
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(f.path), &disk); err == nil {
		free := float64(disk.Bavail) * float64(disk.Bsize)
		metrics <- prometheus.MustNewConstMetric(f.free, prometheus.GaugeValue, free)
	}
}
