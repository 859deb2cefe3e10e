using LoraServe.Compute.Matrices;
using LoraServe.Compute.Memory;
using LoraServe.Compute.Workers;

namespace LoraServe.Compute.Kernels.Panels;

/// <summary>One fork-join of <see cref="Gemm.Run"/>: pieces of whole rows or of whole columns, each claimed by the next worker that is free.</summary>
internal readonly unsafe ref struct GemmJob : IParallelJob
{
    // Two pieces a worker: should one lose its core, another takes over half of its share.
    private const int PiecesPerWorker = 2;

    // What a piece should at least have: what it reads again of the other factor is then small beside its multiply-adds.
    private const int LeastRows = 96;
    private const int LeastColumns = 128;

    private readonly PanelKernels _kernels;
    private readonly GemmOperand _a;
    private readonly GemmOperand _b;
    private readonly Rows _c;
    private readonly float _scale;
    private readonly bool _adds;
    private readonly bool _splitsRows;
    private readonly int _pieces;
    private readonly long* _claimed;

    public GemmJob(PanelKernels kernels, in GemmOperand a, in GemmOperand b, Rows c, float scale, bool adds, int workerCount, long* claimed)
    {
        _kernels = kernels;
        _a = a;
        _b = b;
        _c = c;
        _scale = scale;
        _adds = adds;
        _claimed = claimed;

        // Pieces of rows read all of b again, pieces of columns all of a.
        int rowUnits = Units(c.Count, GemmPiece.RowUnit);
        int columnUnits = Units(c.Width, GemmPiece.ColumnUnit);
        _splitsRows = columnUnits < workerCount
            || (rowUnits >= workerCount && (long)c.Width * CostOfReading(b, inPlace: false) < (long)c.Count * CostOfReading(a, inPlace: true));
        int most = _splitsRows ? rowUnits : columnUnits;
        int wanted = _splitsRows ? c.Count / LeastRows : c.Width / LeastColumns;
        _pieces = Math.Min(most, wanted >= PiecesPerWorker * workerCount ? PiecesPerWorker * workerCount : workerCount);
    }

    public void Run(int worker, int workerCount)
    {
        for (long piece; (piece = Interlocked.Increment(ref *_claimed) - 1) < _pieces;)
        {
            GemmPiece part = _splitsRows
                ? new GemmPiece(Start(piece, _c.Count, GemmPiece.RowUnit), Start(piece + 1, _c.Count, GemmPiece.RowUnit), 0, _c.Width)
                : new GemmPiece(0, _c.Count, Start(piece, _c.Width, GemmPiece.ColumnUnit), Start(piece + 1, _c.Width, GemmPiece.ColumnUnit));
            _kernels.MultiplyAdd(_a, _b, _c, _scale, _adds, part);
        }
    }

    private int Start(long piece, int extent, int unit) => (int)Math.Min(extent, Units(extent, unit) * piece / _pieces * unit);

    private static int Units(int extent, int unit) => (extent + unit - 1) / unit;

    // Cycles for eight elements, roughly.
    private static int CostOfReading(in GemmOperand operand, bool inPlace) =>
        operand.Matrix is not null ? 8 : operand.IsTransposed ? 3 : inPlace ? 1 : 2;
}
