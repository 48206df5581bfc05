"""The client's side of the wire: one seam (`transport.Transport`) and one file for each served model."""
