"""Pictures of graphs: `layout` says where boxes stand and how edges run."""
