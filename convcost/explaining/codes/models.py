"""Codes of model files and reports that are read, and notes about what was found in them."""

from __future__ import annotations

from convcost.explaining.codes.entry import Code

MODELS = (
    Code(
        "C200",
        "A model is wrong in a way that has no code of its own.",
        "The message says how.",
        "Rare.",
    ),
    Code(
        "C201",
        "The file cannot be opened or read: it is not there, is a folder, a pipe, or may not be read.",
        "Check the name and the permissions.",
        command="convcost count nothing.onnx",
    ),
    Code(
        "C202",
        "The file is something else than an ONNX model: empty, an archive, a page of HTML, a pointer of Git LFS, a "
        "model of another framework; or a report that is too large.",
        "The message names what it looks like. Export the model to ONNX; of a Git LFS pointer fetch the content.",
        "A file model.onnx that begins with <!DOCTYPE html>.",
    ),
    Code(
        "C203",
        "The bytes are not a message that ends where it should: the file is cut off or damaged; or a JSON file is not "
        "a report of convcost.",
        "Copy or export the file again.",
        "The first half of a model.",
    ),
    Code(
        "C204",
        "The model is over a limit: 2 GiB for one file, the number of nodes or functions, the rank of a tensor.",
        "Store weights as external data; docs/limits.md lists the limits.",
        "A tensor with more dimensions than any runtime takes.",
    ),
    Code(
        "C205",
        "The report was written in a form that this release does not read.",
        "Make it again with this release, or read it with its own.",
        "A report whose schema_version is 9.0.",
    ),
    Code(
        "C210",
        "The graph is not one: a tensor is missing or made twice, the nodes form a cycle, there are no outputs.",
        "Export the model again; onnx.checker finds the same.",
        "A node that reads a tensor that nothing makes.",
    ),
    Code(
        "C211",
        "An attribute of a node has the wrong type, is given twice, or does not exist in its operator set.",
        "Correct the attribute, or the operator-set version that the model imports.",
        "A Conv whose strides are a text.",
    ),
    Code(
        "C212",
        "A stored tensor contradicts itself: its data do not fill its shape, or it is of no known type.",
        "Export the model again.",
        "An initializer of 3 elements with 2 numbers.",
    ),
    Code(
        "C213",
        "An external tensor's location is not a plain file beside the model, or its offset and length are no numbers.",
        "External data lie in the folder of the model, named without .. and without a leading slash.",
        "The location ../../etc/passwd.",
    ),
    Code(
        "C214",
        "The model says of no version which operators it means: the ir_version or the operator set is missing.",
        "Import an operator set: opset_import with domain '' and a version from 1.",
        "A model without opset_import.",
    ),
    Code(
        "C215",
        "A function of the model calls itself, is defined twice, or redefines an operator of ONNX.",
        "Inline the function, or give it another name.",
        "A function f that calls f.",
    ),
    Code(
        "C216",
        "A declared type cannot be: a negative dimension, an element type that ONNX does not define.",
        "Correct the declaration of the input.",
        "An input of shape 1x-3.",
    ),
    Code(
        "C220",
        "An operator cannot take inputs of these shapes: the model cannot run.",
        "The message gives the law and the numbers. Often the input's shape is another: --input says it.",
        "A Conv whose weight reads 4 channels of an input that has 3.",
    ),
    Code(
        "C230",
        "The batch is open and was taken as 1.",
        "Nothing, or --dim NAME=SIZE for another batch.",
        "A model whose input is Nx3x224x224.",
        severity="note",
    ),
    Code(
        "C231",
        "A shape or type that the model declares is not the one that follows from its operators.",
        "Nothing: the declaration is overruled. A tool that believes it would miscount.",
        "A value_info of 1x5 for a tensor of 1x7.",
        severity="note",
    ),
    Code(
        "C232",
        "Stored constants that nothing reads.",
        "Nothing: they count nowhere. Removing them makes the file smaller.",
        "An initializer that is no input of any node.",
        severity="note",
    ),
    Code(
        "C233",
        "An attribute that the operator never had is ignored.",
        "Nothing, if it is a remark of the exporter's.",
        "A Relu with an attribute colour.",
        severity="note",
    ),
    Code(
        "C234",
        "The model's version or operator set is newer than what is known here, or imported twice.",
        "Update convcost and onnx if something looks wrong.",
        "A model of operator set 999.",
        severity="note",
    ),
    Code(
        "C235",
        "--input gives another shape than the model declares; the given one holds.",
        "Nothing, if it is meant.",
        "--input x=1x3x300x300 for an input declared as 1x3x224x224.",
        severity="note",
    ),
    Code(
        "C236",
        "An input has a dimension of 0, so that it is empty and costs nothing.",
        "Give it a size with --input.",
        "An input of shape 0x3.",
        severity="note",
    ),
    Code(
        "C237",
        "The model also holds training graphs, which are not counted.",
        "Nothing: counts are those of inference.",
        "A model with training_info.",
        severity="note",
    ),
    Code(
        "C238",
        "External data are missing or too short: counting needs none of them, a run does.",
        "Put the data file beside the model before timing it.",
        "A model that was copied without its .data file.",
        severity="note",
    ),
    Code(
        "C240",
        "What a count had to decide: the branch of an If, the iterations of a loop, sizes that the data decide.",
        "--trip-count NAME=N sets the iterations of a loop.",
        "A Loop whose number of iterations is an input.",
        severity="note",
    ),
    Code(
        "C241",
        "--strict: some operators have no rule, or their shapes are not known.",
        "Leave --strict away for a lower bound; give shapes with --input.",
        "A model with an operator of one's own, under --strict.",
    ),
    Code(
        "C242",
        "--strict: dimensions are open, so that counts are formulas.",
        "Give them with --dim.",
        "A model whose height and width are open, under --strict.",
    ),
    Code(
        "C243",
        "--strict: the totals are bounds, as iterations or sizes depend on the data.",
        "--trip-count NAME=N for a loop; leave --strict away for the bound.",
        "A Loop whose number of iterations is an input, under --strict.",
    ),
    Code(
        "C244",
        "Dimensions other than the batch are open: counts that depend on them are formulas.",
        "Give numbers: --dim height=224 --dim width=224.",
        "A model whose input is 1x3xheightxwidth.",
        severity="note",
    ),
    Code(
        "C245",
        "A node that is to be replaced is not in the model.",
        "Name a node as convcost count -v shows it.",
        "A replacement for a node that does not exist.",
    ),
    Code(
        "C246",
        "A measured gain far below the counted one, or a new model that would not cost what was worked out.",
        "Of the former: look at the bytes that the layer moves, not only at its multiplications. The latter is a "
        "mistake of convcost's: nothing is written.",
        "A depthwise separable form with 8 times fewer MACs that is 3 times as fast.",
        severity="note",
    ),
    Code(
        "C247",
        "SAME padding with a stride depends on the size of the input; replaced layers have that of this size.",
        "--input NAME=SHAPE chooses the size.",
        "A strided convolution with auto_pad SAME_UPPER that is replaced.",
        severity="note",
    ),
    Code(
        "C250",
        "Graphs, functions or messages are nested deeper than is read.",
        "Flatten the model.",
        "Hundreds of If inside each other.",
    ),
    Code(
        "C260",
        "Reports that are merged were measured on different machines or settings: their times do not compare.",
        "Measure all of them in one place.",
        "Two reports of convcost time from two machines, merged.",
        severity="warning",
    ),
)
