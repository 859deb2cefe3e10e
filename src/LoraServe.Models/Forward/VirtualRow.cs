namespace LoraServe.Models.Forward;

/// <summary>A row of a batch that stands for no token: an adapter put it ahead of the prompt.</summary>
/// <remarks>
/// A sequence begins with the virtual rows of its adapters, in stack order. They take positions and pages like tokens, and
/// what stands for the i-th of them among the tokens is −1 − i, so that nothing but the operations that make such a row has
/// to know of them.
/// </remarks>
/// <param name="Row">The row of the batch.</param>
/// <param name="Adapter">Whose it is.</param>
/// <param name="Weight">The adapter's weight: factor of the row's embedding, or of its values.</param>
/// <param name="Index">Which of the adapter's virtual rows it is, those of all its tasks counted through.</param>
public readonly record struct VirtualRow(int Row, ResidentAdapter Adapter, float Weight, int Index)
{
    /// <summary>What a sequence begins with: −1, −2, … for <paramref name="count"/> virtual rows.</summary>
    public static int[] Tokens(int count)
    {
        int[] tokens = new int[count];
        for (int i = 0; i < count; i++)
        {
            tokens[i] = -1 - i;
        }

        return tokens;
    }
}
