using LoraServe.Torch.Resident;

namespace LoraServe.Torch.Forward;

/// <summary>A way to multiply rows by low-rank pairs of an arena, each row by its slot's.</summary>
internal interface IPairProducts
{
    /// <summary>A·x of each row, in a form that <see cref="Up"/> reads; each row's own factor can be multiplied in.</summary>
    /// <param name="x">[n, inputs], in the order of slots.</param>
    /// <param name="pairs">The pairs.</param>
    /// <param name="rows">Whose the rows are.</param>
    Tensor Down(Tensor x, AdapterArena.Pairs pairs, SlotRows rows);

    /// <summary>B·(A·x) of each row, [n, outputs].</summary>
    Tensor Up(Tensor down, AdapterArena.Pairs pairs, SlotRows rows);
}
