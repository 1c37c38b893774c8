"""Codes of runs: what cannot or may not be run, and what makes times worth less."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code

RUNNING = (
    Code(
        "C400",
        "A run is impossible for a reason that has no code of its own.",
        "The message says it.",
        "Rare.",
    ),
    Code("C402", "Fewer threads than one.", "Give --threads 1 or more.", "A session with 0 threads, from Python."),
    Code(
        "C403",
        "An input or output that is named is not the model's, or one is not given.",
        "The message lists the names.",
        "session.run(None, {}) of a model with an input, from Python.",
    ),
    Code(
        "C404",
        "An input has another type or shape than the model takes.",
        "Convert the array, or give the shape to the model with --input.",
        "A float64 array for a float32 input, from Python.",
    ),
    Code(
        "C405",
        "The run needs an input's size, which is open or not known.",
        "--dim NAME=N or --input NAME=SHAPE says it.",
        "convcost time of a model whose input is 1x3xheightxwidth.",
    ),
    Code(
        "C410",
        "Weights cannot be loaded: external data are missing or short, or a type is not supported.",
        "Put the data file beside the model; install ml_dtypes for small float types.",
        "convcost time of a model that was copied without its .data file.",
    ),
    Code(
        "C411",
        "A tensor is read that nothing makes.",
        "Export the model again.",
        "A graph built in Python that reads an undefined tensor.",
    ),
    Code(
        "C412",
        "No kernel runs an operator.",
        "--backend onnxruntime may run it.",
        "convcost time of a model with an operator of one's own.",
    ),
    Code(
        "C413",
        "A stored constant has fewer or more numbers than its shape.",
        "Export the model again.",
        "A constant of shape 4 with 10 bytes.",
    ),
    Code(
        "C420",
        "A kernel failed on the values that it was given.",
        "The node and its shapes are in the message; --verify compares with onnxruntime.",
        "A Gather with an index outside of its table.",
    ),
    Code(
        "C421",
        "A kernel cannot do what is asked: shapes or values that the operator does not take.",
        "The message gives the law.",
        "An Expand to a size that the data decide and that does not fit.",
    ),
    Code(
        "C430",
        "The run would take more memory than it may.",
        "Raise --max-memory, or run on smaller inputs.",
        command='convcost time "512x512x64 -(3x3x64x64 same)->" --max-memory 1M --runs 1',
    ),
    Code(
        "C431",
        "A run takes longer than it may.",
        "Raise --time-limit if the model means it.",
        "A Loop of a million iterations, under --time-limit 1.",
    ),
    Code(
        "C432",
        "A loop runs more iterations than it may.",
        "Raise the limit if the model means it.",
        "A Loop whose condition stays true.",
    ),
    Code(
        "C433",
        "A process that computed a part of a layer has ended.",
        "Run again, or with --threads 1; the system ends processes where memory is short.",
        "A run on two threads whose second process was killed.",
    ),
    Code(
        "C440",
        "onnxruntime is asked for and is not installed.",
        "pip install 'convcost[onnxruntime]'",
        "convcost time model.onnx --backend onnxruntime without the extra.",
    ),
    Code(
        "C441",
        "onnxruntime would need values that are no plain numbers: texts, sequences.",
        "Use --backend numpy.",
        "A model whose input is a text.",
    ),
    Code(
        "C442",
        "onnxruntime did not end in time; it was stopped.",
        "Raise --time-limit.",
        "A run of onnxruntime that takes longer than --time-limit.",
    ),
    Code(
        "C443",
        "onnxruntime died. It runs in a process of its own, so that nothing else is lost.",
        "Report it to onnxruntime with the model.",
        "A model that makes onnxruntime crash.",
    ),
    Code(
        "C444",
        "onnxruntime refuses the model.",
        "The message is onnxruntime's own.",
        "An operator that onnxruntime does not have.",
    ),
    Code(
        "C445",
        "The outputs here and of onnxruntime differ in type or shape, so that no errors can be compared.",
        "Report it with the model: one of the two is wrong.",
        "An output of float32 here and of float64 there.",
    ),
)

TIMES = (
    Code(
        "T101",
        "Some runs are far from the median: something else ran meanwhile.",
        "Close other programs and run again, or raise --runs.",
        "One run in five takes ten times as long as the others.",
        severity="warning",
    ),
    Code(
        "T102",
        "The first run was much slower than the rest: caches and allocations were cold.",
        "Raise --warmup.",
        "--warmup 0, and a first run of twice the median.",
        severity="warning",
    ),
    Code(
        "T103",
        "Times grow from run to run, as of a processor that gets hot and slows down.",
        "Let the machine cool down, or fix its clock frequency.",
        "Each run takes one per cent longer than the one before.",
        severity="warning",
    ),
    Code(
        "T104",
        "Times vary by more than a tenth of the median.",
        "Close other programs, set --threads to the free cores, raise --runs.",
        "Half of the runs take a third longer than the other half.",
        severity="warning",
    ),
    Code(
        "T105",
        "The machine was busy with other work before the measurement began.",
        "Wait until it is idle.",
        "A load of 2 on a machine with 2 cores.",
        severity="warning",
    ),
    Code(
        "T106",
        "A run is so short that the clock hardly resolves it.",
        "Measure a larger input or batch.",
        "A layer of a few thousand MACs.",
        severity="warning",
    ),
    Code(
        "T107",
        "The measurement was interrupted.",
        "Nothing: the times stand for the runs that were done.",
        "Ctrl-C while runs are measured.",
        severity="warning",
    ),
)
