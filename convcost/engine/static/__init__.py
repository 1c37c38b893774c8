"""A plan for shapes that are all known: units fused, layouts chosen, buffers laid out, every call compiled beforehand.

`fuse` makes units of nodes, `layout` decides channels first or last for every array, `buffers` gives memory by
lifetime, `compile` turns units into lists of calls on ready-made views, `program` runs them. What cannot be compiled
(operators without a compiled form, control flow, shapes that only a run knows) runs by its usual kernel in between.
"""
