using LoraServe.Training.Reports.Text;

namespace LoraServe.Training.Tests.Reports.Text;

public sealed class QuantityTextTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(1.98, "1.98")]
    [InlineData(0.00171, "0.00171")]
    [InlineData(2e-5, "0.00002")]
    [InlineData(1.23456e-7, "1.235e-7")]
    [InlineData(558.4321, "558.4")]
    [InlineData(123456.7, "123,457")]
    [InlineData(1e30, "1e30")]
    [InlineData(double.NaN, "not a number")]
    [InlineData(double.NegativeInfinity, "-infinite")]
    public void Digits_Number_HasFourThatCount(double value, string text) => Assert.Equal(text, QuantityText.Digits(value));

    [Theory]
    [InlineData(999, "999 B")]
    [InlineData(934_400, "934.4 kB")]
    [InlineData(5e15, "5000 TB")]
    public void Bytes_Number_HasAUnitThatSuits(double bytes, string text) => Assert.Equal(text, QuantityText.Bytes(bytes));

    [Theory]
    [InlineData(42, "42")]
    [InlineData(230_400, "230,400")]
    [InlineData(134_515_008, "134.52 M")]
    public void Count_Number_IsShort(double count, string text) => Assert.Equal(text, QuantityText.Count(count));

    [Theory]
    [InlineData(4.23, "4.2 s")]
    [InlineData(200, "3 min 20 s")]
    [InlineData(3725, "1 h 02 min")]
    [InlineData(90_000, "25 h 00 min")]
    public void Duration_Seconds_AreInUnitsThatSuit(double seconds, string text) => Assert.Equal(text, QuantityText.Duration(TimeSpan.FromSeconds(seconds)));
}
