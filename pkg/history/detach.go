package history

import "junctor/pkg/document"

// Detach removes from a document of Database what is valid in one store only: the position in the feed that the
// checkpoint has.
func Detach(doc document.Document) {
	if doc.ID() == checkpointID {
		delete(doc, fieldSince)
		delete(doc, fieldEpoch)
	}
}
