using LoraServe.Compute.Memory;

namespace LoraServe.Cpu.Backward;

/// <summary>Rows that values of one kind take in turn, layer after layer: what is cheap to make is not kept, and the way back has it made again.</summary>
internal sealed class ReusedRows(ScratchArena arena)
{
    private Rows _rows;
    private TapeValue? _holder;

    /// <summary>Gives the rows up, before the arena takes them back.</summary>
    public void Reset() => (_rows, _holder) = (default, null);

    /// <summary>Makes a value in the rows, instead of the one before it.</summary>
    /// <param name="count">Number of rows, the same for all values of a step.</param>
    /// <param name="width">Their width, the same for all values of a step.</param>
    /// <param name="needsGradient">Whether anything that it is made from is trained.</param>
    /// <param name="compute">Writes the value.</param>
    public TapeValue Make(int count, int width, bool needsGradient, Action<Rows> compute)
    {
        _rows = _rows.Count > 0 ? _rows : arena.Rent(count, width);
        compute(_rows);
        return _holder = new TapeValue(_rows, needsGradient) { Recompute = Recompute };

        void Recompute(TapeValue value)
        {
            if (_holder != value)
            {
                compute(_rows);
                _holder = value;
            }
        }
    }
}
