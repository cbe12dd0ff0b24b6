#include "solvers/report/report.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "physics/error.h"
#include "solvers/report/plot.h"
#include "solvers/report/png.h"
#include "solvers/store/atomic_file.h"
#include "tests/solvers/store/markup_check.h"
#include "tests/solvers/store/sample_run.h"

namespace torsor {
namespace {

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// The page is well formed and loads nothing.
void expect_self_contained(const std::string& html) {
  expect_well_formed(html);
  for (const char* part : {"http", "<script", "<link", "@import", "url(", "src=", "nan", "inf "})
    EXPECT_EQ(html.find(part), std::string::npos) << part;
  EXPECT_EQ(count_of(html, "href="), count_of(html, "href=\"data:image/png;base64,"));
}

TEST(Png, HasSignatureAndChunks) {
  Eigen::MatrixXd levels = Eigen::MatrixXd::Constant(3, 70000, 0.5);
  levels(0, 0) = NAN;
  const std::string png = encode_png(levels);
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  for (const char* type : {"IHDR", "PLTE", "tRNS", "IDAT"}) EXPECT_NE(png.find(type), std::string::npos);
  // The last chunk is always the same: length 0, name, and the checksum that the specification prints.
  EXPECT_EQ(png.substr(png.size() - 12), std::string("\0\0\0\0IEND\xAE\x42\x60\x82", 12));
}

TEST(Png, Base64OfTheSpecification) {  // RFC 4648, section 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Png, ColourMapGoesFromDarkToLight) {
  double last = -1;
  for (double t = 0; t <= 1; t += 0.05) {
    const Rgb c = viridis(t);
    const double luminance = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
    EXPECT_GT(luminance, last);
    last = luminance;
  }
}

TEST(Raster, KeepsTheDirectionsOfTheAxes) {
  const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(3, 0, 2), y = Eigen::VectorXd::LinSpaced(2, 0, 1);
  Eigen::MatrixXd values(3, 2);
  values << 0, 10, 1, 11, 2, 12;  // x + 10 y
  for (const bool falling : {false, true}) {
    const Raster raster = falling ? raster_from_grid(x.reverse(), y, values.colwise().reverse(), 40, 20)
                                  : raster_from_grid(x, y, values, 40, 20);
    EXPECT_NEAR(raster.values(19, 0), 0.025 + 0.25, 1e-12) << "lower left";
    EXPECT_NEAR(raster.values(0, 39), 1.975 + 9.75, 1e-12) << "upper right";
  }
}

TEST(Raster, HolesStayHoles) {
  const Eigen::VectorXd x = Eigen::VectorXd::LinSpaced(5, 0, 4);
  Eigen::MatrixXd values = Eigen::MatrixXd::Ones(5, 5);
  values(2, 2) = NAN;
  const Raster raster = raster_from_grid(x, x, values, 100, 100);
  EXPECT_TRUE(std::isnan(raster.values(50, 50)));
  EXPECT_EQ(raster.values(5, 5), 1);
}

TEST(Plot, EmptyAndConstantDataStillDraw) {
  LinePlot plot{"title", "x", "y", {{"a", {}, {}}}, true, true};
  expect_well_formed(svg(plot));
  plot.curves = {{"b", {1, 2}, {0, NAN}}, {"c", {1, 1}, {3, 3}}};
  expect_well_formed(svg(plot));
  plot.log_x = plot.log_y = false;
  expect_well_formed(svg(plot));
  MapPlot map;
  map.raster = {Eigen::MatrixXd::Zero(4, 4), {0, 1}, {0, 1}};
  map.log = true;
  expect_well_formed(svg(map));
  EXPECT_EQ(short_number(NAN), "–");
}

TEST(Report, ShowsTasksAndPictures) {
  const std::string html = report_html(sample_run());
  expect_self_contained(html);
  EXPECT_EQ(count_of(html, "data:image/png;base64,iVBORw0KGgo"), 8u)
      << "three of the field, one residual, two tasks";
  EXPECT_HAS(html, "u_t + u u_x = nu u_xx");
  EXPECT_HAS(html, "burgers &lt;1-D&gt; &amp; &quot;co&quot;");
  EXPECT_HAS(html, "0123abc");
  EXPECT_HAS(html, "3.5e+11");
  EXPECT_HAS(html, "Head: singular values");
  EXPECT_HAS(html, "Newton&#39;s method");
  EXPECT_HAS(html, "Errors over the tasks");
  EXPECT_HAS(html, ">t [s]</text>");
}

TEST(Report, SaysHowOftenGradientsDisagreeAndWhatDrifts) {
  RunRecord run = sample_run();
  EXPECT_EQ(report_html(run).find("Conflicts"), std::string::npos);
  run.gradients = {"eps = 1e-06", "eps = 1"};
  run.history.push_back({"cosine.0.1", {0, 1, 2, 3}, {-0.5, 0.1, 0.1, -0.1}});
  run.tasks[0].drifts = {{"rho", 3e-7}};
  const std::string html = report_html(run);
  expect_self_contained(html);
  EXPECT_HAS(html, "50 (-0.1)");
  EXPECT_HAS(html, "eps = 1e-06");
  EXPECT_HAS(html, "rho 3e-07");
}

TEST(Report, EveryDimension) {
  for (long dimension = 1; dimension <= 4; ++dimension) {
    SampleSet grid;
    for (long k = 0; k < dimension; ++k)
      grid.axes.push_back(even_axis(std::string(1, static_cast<char>('w' + k)), "", 0, 1, 6));
    RunRecord run = sample_run();
    run.tasks = {sample_task("grid", grid, 1, 1e-3), sample_task("cloud", cloud(30, dimension), 2, 1e-3)};
    const std::string html = report_html(run);
    expect_self_contained(html);
    EXPECT_EQ(html.find("at the samples") != std::string::npos, dimension > 2) << "scatter plots";
    EXPECT_EQ(html.find(", at y = ") != std::string::npos, dimension > 2) << "slices";
  }
}

TEST(Report, MissingPartsAndHoles) {
  RunRecord run = sample_run();
  run.tasks.resize(1);
  TaskRecord& task = run.tasks[0];
  task.head.reset();
  task.reference_name.clear();
  task.fields[0].reference.resize(0);
  task.fields[0].error.resize(0);
  task.fields[0].errors.reset();
  task.fields[0].prediction.setConstant(NAN);
  task.sample.inside.assign(45, false);
  expect_self_contained(report_html(run));
  task.fields.clear();
  task.residuals.clear();
  expect_self_contained(report_html(run));
  run.tasks.clear();
  expect_self_contained(report_html(run));
  expect_self_contained(report_html(RunRecord{}));
}

TEST(Report, ManyTasksShowSixWithTheBestAndTheWorst) {
  RunRecord run = sample_run();
  run.tasks.clear();
  for (int i = 0; i < 30; ++i)
    run.tasks.push_back(sample_task("case" + std::to_string(i), grid_2d(), 0.1 * i, 1e-6 * (1 + i * 7 % 30)));
  const std::string html = report_html(run);
  EXPECT_EQ(count_of(html, "<article>"), 6u);
  EXPECT_EQ(count_of(html, "<tbody>"), 1u);
  EXPECT_EQ(count_of(html, "<td class=\"text\">case"), 30u);
  EXPECT_HAS(html, "<h3>case0</h3>");   // the smallest disturbance
  EXPECT_HAS(html, "<h3>case17</h3>");  // the largest
  EXPECT_HAS(html, "over 30 tasks");
}

TEST(Report, WritesOneFile) {
  const TemporaryFolder folder;
  write_report(sample_run(), folder.file("out"));
  EXPECT_EQ(read_whole_file(folder.file("out/report.html")), report_html(sample_run()));
  EXPECT_THROW(write_report(sample_run(), folder.file("out/report.html")), InputError);
}

}  // namespace
}  // namespace torsor
