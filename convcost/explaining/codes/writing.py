"""Codes of files that are written: reports, charts, models, and the lines of a fleet."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code

WRITING = (
    Code(
        "C500",
        "A file cannot be written: the folder is not there, the disk is full, permissions are missing.",
        "Check the path. Old files stay as they were.",
        command="convcost count model.onnx -o nowhere/report.json",
    ),
    Code(
        "C501",
        "Two reports go to one file.",
        "Give each its own name.",
        command="convcost count model.onnx -o report.json -o report.json",
    ),
    Code(
        "C502",
        "The path of a report is a folder.",
        "Name a file in it.",
        command="convcost count model.onnx -o json=sample_models",
    ),
    Code(
        "C503",
        "A report would replace a file that is read.",
        "Name another file.",
        command="convcost count model.onnx -o json=model.onnx",
    ),
    Code(
        "C504",
        "A format needs what this report does not have: a trace needs times, JUnit needs verdicts.",
        "convcost time gives times, convcost check verdicts.",
        command="convcost count model.onnx -f trace",
    ),
    Code(
        "C505",
        "A new model would be larger than one file may be.",
        "Write weights as constants or as external data.",
        "A layer with three billion weights, exported with stored weights.",
    ),
    Code(
        "C506",
        "A layer cannot be written in the element type.",
        "The message lists the types that the operator takes.",
        "A convolution of int8, exported.",
    ),
    Code(
        "C507",
        "A fleet's file is a device or a pipe, and a fleet reads again what it wrote.",
        "Name a regular file.",
        command="convcost fleet model.onnx -o jsonl=/dev/null",
    ),
    Code(
        "C508",
        "A fleet's file is in use by another run.",
        "Wait, or write to another file.",
        "Two fleets that write to one file.",
    ),
    Code(
        "C509",
        "A file is none of a fleet's.",
        "Leave --resume away to replace it.",
        "convcost fleet --resume with a file of something else.",
    ),
    Code(
        "C512",
        "There is no new model to write, as no layer is split.",
        "--energy or --rank also split approximately.",
        "convcost separate -o of a model without separable kernels.",
    ),
    Code(
        "C513",
        "A split model computes something else than the model did, by more than rounding: it is not written.",
        "It is a mistake of convcost's: report it with the model.",
        "Rare.",
    ),
    Code(
        "C514",
        "A split model could not be compared with the model by running both.",
        "The message says why; compare them elsewhere before you rely on it.",
        "convcost separate -o of a model with an operator of one's own.",
        severity="warning",
    ),
    Code(
        "C520",
        "Charts need the extra that draws.",
        "pip install 'convcost[plot]'",
        "-f svg without the extra.",
    ),
    Code(
        "C521",
        "There is nothing for a chart to draw.",
        "convcost compare gives a Pareto front something to draw, convcost time a roofline.",
        command="convcost count model.onnx -f svg --chart pareto",
    ),
    Code(
        "C522",
        "The library that draws charts refuses this one.",
        "Report it with the JSON report that it is drawn from.",
        "Rare.",
    ),
    Code(
        "C523",
        "Charts need a process without a limit on addresses, which would end it by a signal.",
        "ulimit -v unlimited",
        "-f svg after ulimit -v 4000000.",
    ),
)

FLEETS = (
    Code(
        "C600",
        "A fleet failed for a reason that has no code of its own.",
        "The message says it.",
        "Rare.",
    ),
    Code(
        "C601",
        "The process that counted a model died; the others go on.",
        "Count that model alone to see more.",
        "A process that the system kills as memory is short.",
    ),
    Code(
        "C602",
        "A model was not counted in time.",
        "--time-limit allows more.",
        "A model of a million nodes under --time-limit 1.",
    ),
    Code(
        "C603",
        "There was not enough memory to count a model.",
        "Use fewer workers.",
        "A large model with many workers on a small machine.",
    ),
    Code(
        "C604",
        "A model's report did not arrive: it is too large, or its process gave none.",
        "Count that model alone.",
        "A report of more than the most that a line holds.",
    ),
    Code(
        "C605",
        "A worker has another release of convcost.",
        "Install the same release everywhere.",
        "A cluster of which one machine was not updated.",
    ),
    Code("C610", "Dask is not installed.", "pip install 'convcost[fleet]'", "--scheduler without the extra."),
    Code(
        "C611",
        "The scheduler does not answer, or its certificates are not named.",
        "Check the address, and Dask's configuration for tls.",
        "--scheduler of an address where nothing listens.",
    ),
    Code("C612", "The scheduler has no workers.", "Start some: dask worker ADDRESS.", "A scheduler alone."),
    Code(
        "C613",
        "The cluster stopped answering, or dropped the work.",
        "Look at the scheduler; --resume goes on where the file ends.",
        "A scheduler that is stopped while a fleet runs.",
    ),
)
