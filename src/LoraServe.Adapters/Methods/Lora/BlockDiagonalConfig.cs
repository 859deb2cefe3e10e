using LoraServe.Adapters.Edits;
using LoraServe.Adapters.Files;
using LoraServe.Adapters.Peft;

namespace LoraServe.Adapters.Methods.Lora;

/// <summary>PEFT's <c>use_bdlora</c>: one factor of a pair is block-diagonal, and only its blocks are stored.</summary>
internal sealed class BlockDiagonalConfig
{
    private readonly int _blocks;
    private readonly string[] _inA;
    private readonly string[] _inB;

    private BlockDiagonalConfig(ConfigFields fields)
    {
        _blocks = fields.Integer("nblocks", 1) ?? 1;
        _inA = fields.Texts("target_modules_bd_a") ?? [];
        _inB = fields.Texts("target_modules_bd_b") ?? [];
    }

    /// <summary>Reads the field; null where it is not set.</summary>
    public static BlockDiagonalConfig? Read(ConfigFields fields) =>
        fields.Group("use_bdlora", "nblocks", "target_modules_bd_a", "target_modules_bd_b", "match_strict") is { } inner ? new BlockDiagonalConfig(inner) : null;

    /// <summary>This, where the module's A is block-diagonal.</summary>
    public BlockDiagonalConfig? ForA(BaseModule module) => _inA.Any(name => module.Path.EndsWith(name, StringComparison.Ordinal)) ? this : null;

    /// <summary>This, where the module's B is block-diagonal.</summary>
    public BlockDiagonalConfig? ForB(BaseModule module) => _inB.Any(name => module.Path.EndsWith(name, StringComparison.Ordinal)) ? this : null;

    /// <summary>Takes the stored blocks [rows, columns / blocks] and puts them on the diagonal of [rows, columns].</summary>
    public FloatMatrix Read(AdapterTensors tensors, string name, int rows, int columns, string because)
    {
        if (rows % _blocks != 0 || columns % _blocks != 0)
        {
            throw new AdapterFormatException($"{tensors.File}: tensor '{name}' is to be [{rows}, {columns}] in {_blocks} blocks; expected both to be multiples of that ({because}).");
        }

        (int height, int width) = (rows / _blocks, columns / _blocks);
        FloatMatrix stored = tensors.Matrix(name, rows, width, $"{because}, {_blocks} diagonal blocks");
        var full = new FloatMatrix(rows, columns);
        for (int row = 0; row < rows; row++)
        {
            stored.Row(row).CopyTo(full.Row(row)[(row / height * width)..]);
        }

        return full;
    }
}
