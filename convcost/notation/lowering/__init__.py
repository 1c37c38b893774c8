"""The syntax tree to an ir.Graph: every size, group, stride and padding settled, layer by layer."""
